"""Several hospitals as one: what is added up are sums that each has noised, and nothing else leaves a site."""
