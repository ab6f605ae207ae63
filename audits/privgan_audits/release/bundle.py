"""The form of a release bundle, known to the hand that writes it and to the one that checks it.

BUNDLE/  dataset/                the synthetic set as it was audited, without what stays behind
         report/                 audit-public.html, audit-public.json; nothing internal
         approval.dsse.json      the officer's signed approval, where the hospital has two people sign
         VERIFY.md               how to check all this with sha256sum and openssl alone
         .gitattributes          keeps git from changing line endings
         attestation.dsse.json   signed: the digest of every file above, and what is claimed about them
         SHA256SUMS              every file but itself
"""

import re
from pathlib import PurePosixPath
from typing import Any

from privgan.errors import IntegrityError
from privgan_audits.release.approval import APPROVAL

ATTESTATION = "attestation.dsse.json"
SUMS = "SHA256SUMS"
GUIDE = "VERIFY.md"
GIT, GIT_TEXT = ".gitattributes", "* -text\n"
DATASET, REPORT = "dataset", "report"
PUBLIC_PAGE, PUBLIC_SUMMARY = f"{REPORT}/audit-public.html", f"{REPORT}/audit-public.json"
MANIFEST = f"{DATASET}/manifest.json"
_PLAIN = re.compile("[A-Za-z0-9._/-]+")
PREDICATE_TYPE = "urn:privgan:release:v1"


def subjects_of(statement: dict[str, Any]) -> dict[str, str]:
    """The signed digests of a verified in-toto statement: hex SHA-256 by path relative to the bundle.

    Raises:
        IntegrityError: the statement is about something else, or its subjects are not those of a bundle.
    """
    if statement.get("predicateType") != PREDICATE_TYPE:
        raise IntegrityError("Expected a statement about a privgan release, the signed payload is another.")
    try:
        pairs = [(item["name"], item["digest"]["sha256"]) for item in statement["subject"]]
        digests: dict[str, str] = dict(pairs)
        allowed = all(_belongs(name) for name in digests)
    except (KeyError, TypeError):
        raise IntegrityError("Expected files with a sha256 digest each in the attestation.") from None
    if (
        len(digests) != len(pairs)
        or not allowed
        or not {GUIDE, MANIFEST, PUBLIC_PAGE, PUBLIC_SUMMARY} <= set(digests)
    ):
        raise IntegrityError("Expected each file of a bundle once in the attestation, and no others.")
    return digests


def _belongs(name: str) -> bool:
    """Plain names only: the guide's shell commands must mean the same file as privgan."""
    parts = PurePosixPath(name).parts
    inside = parts[0] == DATASET and ".." not in parts and bool(_PLAIN.fullmatch(name))
    return name in (APPROVAL, GUIDE, GIT, PUBLIC_PAGE, PUBLIC_SUMMARY) or inside


def sums_text(digests: dict[str, str]) -> bytes:
    r"""The content of SHA256SUMS, in the form of `sha256sum`, sorted by path.

    >>> sums_text({"b": "11", "a": "22"})
    b'22  a\n11  b\n'
    """
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def guide_text(fingerprint: str, *, approved: bool, told: str) -> str:
    """The content of VERIFY.md.

    Args:
        fingerprint: of the signing key.
        approved: whether an officer's approval is in the bundle, whose check is then explained, too.
        told: what the hospital says of the set, in a line.
    """
    steps = _APPROVAL_STEPS if approved else ""
    return _GUIDE.replace("FINGERPRINT", fingerprint).replace("APPROVAL_STEPS", steps).replace("TOLD", told)


_GUIDE = r"""# How to check this bundle

TOLD

You need the hospital's public key (a file `NAME.pub`) **from the hospital itself**, not from whoever sent this.
Its fingerprint should be the one that they tell you on another channel. This folder was signed with

    FINGERPRINT

which proves nothing by itself: a forger would write a forger's fingerprint here.

## With privgan

    privgan verify BUNDLE --public-key NAME.pub

## Without privgan: sha256sum, openssl 3.0 or newer, and a shell

Inside this folder, with `KEY` set to the public key (`KEY=/path/to/NAME.pub`) and `TMP` to an empty folder outside
this one (`TMP=$(mktemp -d)`):

1. The key is the hospital's. Compare the line with the fingerprint that they gave you:

```sh
openssl pkey -pubin -in "$KEY" -outform DER | sha256sum
```

2. The attestation is signed with this key. Must print `Signature Verified Successfully`:

```sh
sed -n 's/^ "payload": "\(.*\)",$/\1/p' attestation.dsse.json | openssl base64 -d -A > "$TMP/payload"
sed -n 's/^ *"sig": "\(.*\)"$/\1/p' attestation.dsse.json | openssl base64 -d -A > "$TMP/signature"
printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$TMP/payload")" > "$TMP/signed"
cat "$TMP/payload" >> "$TMP/signed"
openssl pkeyutl -verify -pubin -inkey "$KEY" -rawin -in "$TMP/signed" -sigfile "$TMP/signature"
```

3. Every file is the one that was signed. Must print nothing:

```sh
grep -o '"digest":{"sha256":"[0-9a-f]*"},"name":"[^"]*"' "$TMP/payload" \
  | sed 's/^"digest":{"sha256":"\(.*\)"},"name":"\(.*\)"$/\1  \2/' > "$TMP/sums"
sha256sum --check --strict --quiet "$TMP/sums"
```

4. There is no other file. Must print nothing:

```sh
{ sed 's/^[0-9a-f]*  //' "$TMP/sums"; echo attestation.dsse.json; echo SHA256SUMS; } \
  | LC_ALL=C sort > "$TMP/listed"
find . ! -type d | sed 's,^\./,,' | LC_ALL=C sort | diff "$TMP/listed" -
```

5. The list for everyday use agrees, too. Must print nothing:

```sh
sha256sum --check --strict --quiet SHA256SUMS
```

APPROVAL_STEPSWhat was claimed is in the payload: `cat "$TMP/payload"` (privacy spend, verdict, digests of the policy
and of the internal audit record).
"""

_APPROVAL_STEPS = r"""6. The privacy officer's key, for which the hospital's signature vouches. If they gave you its
   fingerprint, too, compare the line with it:

```sh
{ echo '-----BEGIN PUBLIC KEY-----'
  grep -o '"public_key":"[^"]*"' "$TMP/payload" | sed 's/^"public_key":"\(.*\)"$/\1/'
  echo '-----END PUBLIC KEY-----'; } > "$TMP/officer.pub"
openssl pkey -pubin -in "$TMP/officer.pub" -outform DER | sha256sum
```

7. The approval is signed with that key. Must print `Signature Verified Successfully`:

```sh
sed -n 's/^ "payload": "\(.*\)",$/\1/p' approval.dsse.json | openssl base64 -d -A > "$TMP/approved"
sed -n 's/^ *"sig": "\(.*\)"$/\1/p' approval.dsse.json | openssl base64 -d -A > "$TMP/signature"
printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$TMP/approved")" > "$TMP/signed"
cat "$TMP/approved" >> "$TMP/signed"
openssl pkeyutl -verify -pubin -inkey "$TMP/officer.pub" -rawin -in "$TMP/signed" -sigfile "$TMP/signature"
```

8. What was approved is this very audit of this very set, and the approval still holds today. Must print nothing:

```sh
grep -oE '"(audit|policy|synthetic)_sha256":"[0-9a-f]*"' "$TMP/payload" | LC_ALL=C sort > "$TMP/released"
grep -oE '"(audit|policy|synthetic)_sha256":"[0-9a-f]*"' "$TMP/approved" | LC_ALL=C sort | diff "$TMP/released" -
sed -n 's/.*"synthetic_sha256":"\([0-9a-f]*\)".*/\1  dataset\/manifest.json/p' "$TMP/approved" \
  | sha256sum --check --strict --quiet
until=$(sed -n 's/.*"until":"\([0-9-]*\)".*/\1/p' "$TMP/approved")
test "$(date -u +%Y%m%d)" -le "$(echo "$until" | tr -d -)" || { echo "It ended on $until."; false; }
```

Who approved, what for and until when: `cat "$TMP/approved"`. Whether it was withdrawn since only the hospital knows.

"""
