"""Points of a picture that are known again where a part of it went."""
