"""Everything that an audit read, as one digest: ranks that share an audit must have read the same.

A set of as many images that was written anew meanwhile, or a file share that is behind, would let one rank look for
copies in another set than the one that the record names.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.files import sha256_file
from privgan.kinds import RUN
from privgan.run import MODEL_CONFIG, WEIGHTS
from privgan_audits.evidence.interface import Evidence, Sample

_OF_A_RUN = (RUN.marker, MODEL_CONFIG, WEIGHTS)


def read_by(evidence: Evidence) -> bytes:
    """SHA-256 of the set, of those whom it is compared with, and of what it is compared by: 32 bytes.

    Left out is what rank 0 alone knows (attempt, level, accepted delta, policy), and what no two ranks share.
    """
    cohorts = [cohort.sha256 if cohort else None for cohort in (evidence.cohort, evidence.rehearses)]
    encoder = None if evidence.encoder is None else evidence.encoder.facts()
    facts = [evidence.synthetic_sha256, evidence.classes, cohorts, encoder, evidence.numbered, list(_run(evidence))]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for sample in (evidence.members, evidence.non_members, evidence.synthetic):
        digest.update(_sampled(sample) if sample else b"none")
    return digest.digest()


def _run(evidence: Evidence) -> Iterator[str]:
    """Digests of a run's files, as they lie there; the questions say what is wrong with them."""
    if evidence.run is not None:
        for name in _OF_A_RUN:
            path = evidence.run / name
            yield sha256_file(path) if path.is_file() else ""


def _sampled(sample: Sample) -> bytes:
    arrays: dict[str, NDArray[Any]] = {"images": sample.images, "labels": sample.labels, "patients": sample.patients}
    arrays |= {f"column {name}": sample.columns[name] for name in sorted(sample.columns)}
    arrays |= {"codes": sample.codes} if sample.codes is not None else {}
    if sample.records is not None:
        arrays |= {"records": sample.records.codes, "cells": sample.records.cells}
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.digest()
