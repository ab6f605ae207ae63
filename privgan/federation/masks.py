"""Masks that vanish in the sum of all sites: between each two of them, one adds what the other takes off.

The pairwise masks of Bonawitz et al. (2017, "Practical secure aggregation for privacy-preserving machine learning"),
without their recovery: whoever drops out ends the round. Two sites agree on a secret by X25519; a ChaCha20 stream
under a key of that secret, the federation and the question is their mask, modulo 2^64. A masked answer is uniform to
whoever lacks one of its masks, so that t sites that tell each other everything learn the sum of the others alone.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from torch import Tensor

from privgan.errors import IntegrityError


def mask_key(key: Ed25519PrivateKey, federation: str) -> X25519PrivateKey:
    """A site's for one federation: derived from the key that it signs with, so that nothing else has to be kept."""
    return X25519PrivateKey.from_private_bytes(_derived(key.private_bytes_raw(), federation, "mask key"))


def mask_line(key: X25519PrivateKey) -> str:
    """Its public half in a line, as the site's yes has it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def key_of_mask_line(line: object) -> X25519PublicKey:
    """The public half that `mask_line` wrote.

    Raises:
        IntegrityError: it is none, or a point of small order, with which every secret would be the same.
    """
    try:
        public = X25519PublicKey.from_public_bytes(base64.b64decode(str(line), validate=True))
        X25519PrivateKey.generate().exchange(public)
    except ValueError:
        raise IntegrityError("Expected a public key for masks in this site's yes, there is none.") from None
    return public


@dataclass(frozen=True, kw_only=True, eq=False)
class Masks:
    """A site's masks. own: its name; key: its own; others: the public keys of all other sites by name."""

    federation: str
    own: str
    key: X25519PrivateKey
    others: Mapping[str, X25519PublicKey]

    def __repr__(self) -> str:
        return f"Masks({self.own})"

    def of(self, question: int, shape: tuple[int, ...]) -> Tensor:
        """What this site adds in all: int64 of that shape, modulo 2^64."""
        total = torch.zeros(shape, dtype=torch.int64)
        for name, public in self.others.items():
            mask = self._shared(name, public, question, total.numel()).reshape(shape)
            total = total + mask if self.own < name else total - mask  # int64 wraps around
        return total

    def _shared(self, name: str, public: X25519PublicKey, question: int, count: int) -> Tensor:
        secret = self.key.exchange(public)
        first, second = sorted((self.own, name))
        key = _derived(secret, self.federation, f"mask {question} of {first} and {second}")
        stream = bytearray(8 * count)
        Cipher(ChaCha20(key, nonce=bytes(16)), mode=None).encryptor().update_into(bytes(8 * count), stream)
        return torch.from_numpy(np.frombuffer(bytes(stream), dtype="<i8").astype(np.int64))


def _derived(secret: bytes, federation: str, what: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=bytes.fromhex(federation), info=f"privgan {what}".encode())
    return kdf.derive(secret)
