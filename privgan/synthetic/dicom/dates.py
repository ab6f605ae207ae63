"""When an invented patient of a sequence was seen: dates of nobody, in order, so that viewers sort.

The first is the dummy day that all studies have; each further one lies some weeks later. They follow from the seed of
the set, like UIDs, and lie in years in which nobody was imaged digitally.

>>> dates_of("ab", patient=1, visits=3)[0]
'19000101'
>>> list(dates_of("ab", patient=1, visits=3)) == sorted(dates_of("ab", patient=1, visits=3))
True
"""

import hashlib
from datetime import date, timedelta
from functools import lru_cache

DUMMY_DAY = date(1900, 1, 1)
LEAST_APART, MOST_APART = 30, 90  # of one day each: an age that is held still stays true of a few stages
_OF_A_VISIT = ("SeriesDate", "AcquisitionDate", "ContentDate")


@lru_cache(maxsize=64)  # a patient's files are written one after the other
def dates_of(seed_sha256: str, *, patient: int, visits: int) -> tuple[str, ...]:
    """YYYYMMDD of each visit, none without visits. patient: their number in the set."""
    day, found = DUMMY_DAY, []
    for visit in range(visits):
        if visit:
            digest = hashlib.sha256(f"{seed_sha256} {patient} day {visit}".encode()).digest()
            day += timedelta(LEAST_APART + int.from_bytes(digest[:8]) % (MOST_APART - LEAST_APART + 1))
        found.append(day.strftime("%Y%m%d"))
    return tuple(found)


def dated(seed_sha256: str, *, patient: int, visit: int, visits: int) -> dict[str, str]:
    """Values of attributes by keyword of the file of a visit, from 0; nothing where a patient is seen once."""
    if visits == 1:
        return {}
    return dict.fromkeys(_OF_A_VISIT, dates_of(seed_sha256, patient=patient, visits=visits)[visit])
