"""Attacks by somebody who holds the networks themselves, which the hospital keeps."""
