"""VERIFY.md: how whoever holds a bundle checks it, with the verifier alone, with standard tools, or on Windows.

The words of one file; what it says is checked by running its commands.
"""

import re
from collections.abc import Mapping

from privgan import __version__
from privgan.language import to_tr, tr

_WORD = re.compile("FINGERPRINT|VERIFIER|VERSION|TOLD")


def guide_text(fingerprint: str, verifier_sha256: str, *, approved: bool, told: str, sites: Mapping[str, str]) -> str:
    """The content of VERIFY.md, in the current language; its commands are the same in all.

    Args:
        fingerprint: of the signing key.
        verifier_sha256: of the verifier that this version makes; see `packing`.
        approved: whether an officer's approval is in the bundle, whose check is then explained, too.
        told: what the hospital says of the set, in a line.
        sites: of several hospitals, the fingerprint of each one's key by its name; empty of one.
    """
    values = {"FINGERPRINT": fingerprint, "VERIFIER": verifier_sha256, "VERSION": __version__, "TOLD": told}
    listed = "\n".join(f"    {site}: {key}" for site, key in sites.items())
    keys = (_KEYS, listed, _SIGNED) if sites else (_KEY,)
    steps = (*_STEPS, *(_APPROVAL_STEPS if approved else ()), *(_STEPS_OF_SEVERAL if sites else ()))
    parts = (_HEAD, "TOLD", *keys, *steps, *_AFTER)
    text = "\n\n".join(tr(part) for part in parts) + "\n"
    if sites:
        files = " ".join(f"--public-key {site}.pub" for site in sites)
        text = text.replace("BUNDLE --public-key NAME.pub", f"BUNDLE {files}")
    return _WORD.sub(lambda found: values[found.group()], text)


_HEAD = to_tr("# How to check this bundle")
_KEY = to_tr(
    "You need the hospital's public key (a file `NAME.pub`) **from the hospital itself**, not from whoever sent "
    "this.\nIts fingerprint should be the one that they tell you on another channel. This folder was signed with"
)
_KEYS = to_tr(
    "This set is of several hospitals, and each has signed it. You need the public key of **each of them, from that\n"
    "hospital itself**, not from whoever sent this, who could have invented the others. Their fingerprints should be "
    "those\nthat they tell you on another channel:"
)
_SIGNED = to_tr("This folder was signed by the one of them whose key is")
_STEPS = (
    "    FINGERPRINT",
    to_tr("which proves nothing by itself: a forger would write a forger's fingerprint here."),
    to_tr("## With privgan, or with its verifier alone"),
    "    privgan verify BUNDLE --public-key NAME.pub",
    to_tr(
        "`privgan-verify.pyz` makes the same checks on Linux, macOS and Windows. It is one file and needs Python "
        "3.11 or newer\nand the package cryptography (`python -P -m pip install cryptography`: -P, or what lies in "
        "the folder where you\nare would be run); on Windows write `py` for `python`:"
    ),
    "    python privgan-verify.pyz BUNDLE --public-key NAME.pub",
    to_tr(
        "Take it from the hospital or from the project, never from whoever sent this folder: a forged bundle would "
        "bring a\nforged verifier, which is why none lies here. Whoever has privgan VERSION makes the same file, to "
        "the byte, with\n`python -P -m privgan_audits.release.recipient.packing privgan-verify.pyz`. Its SHA-256 is"
    ),
    "    VERIFIER",
    to_tr("which proves as little by itself as the fingerprint above: ask for both on the same channel."),
    to_tr("## Without privgan: sha256sum, openssl 3.0 or newer, and a shell"),
    to_tr(
        "Inside this folder, with `KEY` set to the public key (`KEY=/path/to/NAME.pub`) and `TMP` to an empty "
        "folder outside\nthis one (`TMP=$(mktemp -d)`):"
    ),
    to_tr("1. The key is the hospital's. Compare the line with the fingerprint that they gave you:"),
    r"""```sh
openssl pkey -pubin -in "$KEY" -outform DER | sha256sum
```""",
    to_tr("2. The attestation is signed with this key. Must print `Signature Verified Successfully`:"),
    r"""```sh
sed -n 's/^ "payload": "\(.*\)",$/\1/p' attestation.dsse.json | openssl base64 -d -A > "$TMP/payload"
sed -n 's/^ *"sig": "\(.*\)"$/\1/p' attestation.dsse.json | openssl base64 -d -A > "$TMP/signature"
printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$TMP/payload")" > "$TMP/signed"
cat "$TMP/payload" >> "$TMP/signed"
openssl pkeyutl -verify -pubin -inkey "$KEY" -rawin -in "$TMP/signed" -sigfile "$TMP/signature"
```""",
    to_tr("3. Every file is the one that was signed. Must print nothing:"),
    r"""```sh
grep -o '"digest":{"sha256":"[0-9a-f]*"},"name":"[^"]*"' "$TMP/payload" \
  | sed 's/^"digest":{"sha256":"\(.*\)"},"name":"\(.*\)"$/\1  \2/' > "$TMP/sums"
sha256sum --check --strict --quiet "$TMP/sums"
```""",
    to_tr("4. There is no other file. Must print nothing:"),
    r"""```sh
{ sed 's/^[0-9a-f]*  //' "$TMP/sums"; echo attestation.dsse.json; echo SHA256SUMS; } \
  | LC_ALL=C sort > "$TMP/listed"
find . ! -type d | sed 's,^\./,,' | LC_ALL=C sort | diff "$TMP/listed" -
```""",
    to_tr("5. The list for everyday use agrees, too. Must print nothing:"),
    r"""```sh
sha256sum --check --strict --quiet SHA256SUMS
```""",
)
_APPROVAL_STEPS = (
    to_tr(
        "6. The privacy officer's key, for which the hospital's signature vouches. If they gave you its\n"
        "   fingerprint, too, compare the line with it:"
    ),
    r"""```sh
{ echo '-----BEGIN PUBLIC KEY-----'
  grep -o '"public_key":"[^"]*"' "$TMP/payload" | sed 's/^"public_key":"\(.*\)"$/\1/'
  echo '-----END PUBLIC KEY-----'; } > "$TMP/officer.pub"
openssl pkey -pubin -in "$TMP/officer.pub" -outform DER | sha256sum
```""",
    to_tr("7. The approval is signed with that key. Must print `Signature Verified Successfully`:"),
    r"""```sh
sed -n 's/^ "payload": "\(.*\)",$/\1/p' approval.dsse.json | openssl base64 -d -A > "$TMP/approved"
sed -n 's/^ *"sig": "\(.*\)"$/\1/p' approval.dsse.json | openssl base64 -d -A > "$TMP/signature"
printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$TMP/approved")" > "$TMP/signed"
cat "$TMP/approved" >> "$TMP/signed"
openssl pkeyutl -verify -pubin -inkey "$TMP/officer.pub" -rawin -in "$TMP/signed" -sigfile "$TMP/signature"
```""",
    to_tr(
        "8. What was approved is this very audit of this very set, and the approval still holds today. Must print "
        "nothing:"
    ),
    r"""```sh
grep -oE '"(audit|policy|synthetic)_sha256":"[0-9a-f]*"' "$TMP/payload" | LC_ALL=C sort > "$TMP/released"
grep -oE '"(audit|policy|synthetic)_sha256":"[0-9a-f]*"' "$TMP/approved" | LC_ALL=C sort | diff "$TMP/released" -
sed -n 's/.*"synthetic_sha256":"\([0-9a-f]*\)".*/\1  dataset\/manifest.json/p' "$TMP/approved" \
  | sha256sum --check --strict --quiet
sed -n '/^  "files": {$/,/^  }/s/^    "\(.*\)": "\([0-9a-f]*\)",*$/\2  dataset\/\1/p' dataset/manifest.json \
  > "$TMP/set"
sha256sum --check --strict --quiet "$TMP/set"
{ sed 's/^[0-9a-f]*  //' "$TMP/set"; echo dataset/manifest.json; } | LC_ALL=C sort > "$TMP/named"
find dataset ! -type d | LC_ALL=C sort | diff "$TMP/named" -
until=$(sed -n 's/.*"until":"\([0-9-]*\)".*/\1/p' "$TMP/approved")
test "$(date -u +%Y%m%d)" -le "$(echo "$until" | tr -d -)" || { echo "It ended on $until."; false; }
```""",
    to_tr(
        'Who approved, what for and until when: `cat "$TMP/approved"`. Whether it was withdrawn since only the '
        "hospital knows."
    ),
)
_STEPS_OF_SEVERAL = (
    to_tr(
        "9. Each hospital and each of their officers has signed. With `KEYS` set to a folder of the public keys that "
        "you got\n   from each hospital, called `NAME.pub` by the names of the files in `sites/`. Must print "
        "`Signature Verified\n   Successfully` twice for each hospital:"
    ),
    r"""```sh
opened() {
  sed -n 's/^ "payload": "\(.*\)",$/\1/p' "$1" | openssl base64 -d -A > "$3"
  sed -n 's/^ *"sig": "\(.*\)"$/\1/p' "$1" | openssl base64 -d -A > "$TMP/signature"
  printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$3")" > "$TMP/signed"
  cat "$3" >> "$TMP/signed"
  openssl pkeyutl -verify -pubin -inkey "$2" -rawin -in "$TMP/signed" -sigfile "$TMP/signature"
}
NAMES=$(ls sites | sed -n 's/^\([a-z0-9-]*\)\.dsse\.json$/\1/p')
for name in $NAMES; do
  opened "sites/$name.dsse.json" "$KEYS/$name.pub" "$TMP/word-$name"
  { echo '-----BEGIN PUBLIC KEY-----'
    grep -o '"public_key":"[^"]*"' "$TMP/word-$name" | sed 's/^"public_key":"\(.*\)"$/\1/'
    echo '-----END PUBLIC KEY-----'; } > "$TMP/officer-$name.pub"
  opened "sites/$name.approval.dsse.json" "$TMP/officer-$name.pub" "$TMP/approved-$name"
done
```""",
    to_tr(
        "10. Each agrees to this very set, all name the same hospitals, none is missing, each has an officer of its "
        "own, and\n    every approval still holds today. Must print nothing:"
    ),
    r"""```sh
for name in $NAMES; do
  grep -q '"agrees":true,' "$TMP/word-$name" && grep -q "\"site\":\"$name\"" "$TMP/word-$name"
  grep -o '"digest":{"sha256":"[0-9a-f]*"},"name":"[^"]*"' "$TMP/word-$name" \
    | sed "s/^\"digest\":{\"sha256\":\"\(.*\)\"},\"name\":\"\(.*\)\"$/\1  \2/" \
    | sed "s,  approval.dsse.json,  sites/$name.approval.dsse.json," | sha256sum --check --strict --quiet
  grep -oE '"(audit|policy|synthetic)_sha256":"[0-9a-f]*"' "$TMP/word-$name" | LC_ALL=C sort > "$TMP/released"
  grep -oE '"(audit|policy|synthetic)_sha256":"[0-9a-f]*"' "$TMP/approved-$name" | LC_ALL=C sort \
    | diff "$TMP/released" -
  until=$(sed -n 's/.*"until":"\([0-9-]*\)".*/\1/p' "$TMP/approved-$name")
  test "$(date -u +%Y%m%d)" -le "$(echo "$until" | tr -d -)" || { echo "$name: it ended on $until."; false; }
done
set -- $NAMES
sites=$(sed -n '/^  "federation": {$/,/^  }/s/^    "sites": \([0-9]*\),*$/\1/p' dataset/manifest.json)
test "$#" = "$sites" || { echo "Of $sites hospitals $# have signed."; false; }
test "$(cat "$TMP"/word-* | grep -o '"federation":"[0-9a-f]*",' | sort -u | wc -l)" = 1
test "$(cat "$TMP"/word-* | grep -o '"sites":{[^}]*}' | sort -u | wc -l)" = 1
sort "$TMP"/officer-*.pub "$KEYS"/*.pub | grep -v -e ----- | uniq -d | diff /dev/null -
```""",
)
_AFTER = (
    to_tr(
        'What was claimed is in the payload: `cat "$TMP/payload"` (privacy spend, verdict, digests of the policy\n'
        "and of the internal audit record)."
    ),
    to_tr("## On Windows"),
    to_tr(
        "The shell of [Git for Windows](https://gitforwindows.org) brings sha256sum and openssl: there, all steps "
        "above work\nas they stand. In PowerShell alone, inside this folder, these lines find files that were "
        "changed, lost or added; they\nmust print `0 problems`:"
    ),
    r"""```powershell
$problems = @(); $listed = @('SHA256SUMS')
foreach ($line in [IO.File]::ReadAllLines("$PWD\SHA256SUMS")) {
  $digest, $name = $line -split '  ', 2; $listed += $name
  $found = Get-FileHash -LiteralPath $name -Algorithm SHA256 -ErrorAction SilentlyContinue
  if (-not $found -or $found.Hash -ne $digest) { $problems += "changed or missing: $name" }
}
foreach ($file in Get-ChildItem -Recurse -Force -File) {
  $name = $file.FullName.Substring("$PWD".TrimEnd('\').Length + 1).Replace('\', '/')
  if ($listed -cnotcontains $name) { $problems += "not listed: $name" }
}
$problems; "$($problems.Count) problems"
```""",
    to_tr(
        "**They cannot check the signature.** Whoever changes a file can write its digest into `SHA256SUMS`, so "
        "that this finds\naccidents and no forger. Windows has no tool of its own for Ed25519: for the signature, "
        "and for whether the privacy\nofficer's permission still holds, use `privgan-verify.pyz` or the steps "
        "above. Nothing here looks at what a file\nsystem keeps beside a file's content (alternate data streams, "
        "attributes, times); a copy of the content alone leaves\nit behind."
    ),
)
