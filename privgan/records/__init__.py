"""What is known of an image beside its class: what may be said (public), and the table that noisy sums say of it."""
