"""Who is nearest: exact searches, whatever rules pairs out before."""
