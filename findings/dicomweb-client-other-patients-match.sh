#!/usr/bin/env bash
# dicomweb-client 0.61.2: a search for patients whose number begins with A_1 also finds AB1, AX12, A-1 and a_1.
#
# `DICOMfileClient` answers DICOMweb's questions from a folder. In these * stands for anything, ? for one character, and
# all else for itself, capitals included unless it is a name (PS3.4 C.2.2.2.4). Here an asterisk makes the number a
# pattern of SQL, in which _ stands for any character, too, and capitals do not count: six patients of six are found, of
# whom two were asked for, and who fetches what was found has four others' images. With both * and ? the ? stands for
# itself: nobody is found. A span of days, as in any search by date, is left out with a line in the log, so that a study
# of 2020 is found in 2019. The documentation names no such limits; a number without * or ? finds what it should.
#
# Seen (Python 3.11):
#   A_1: A_1
#   A_1*: A-1 AB1 AX12 A_1 A_10 a_1
#   A?1*: nobody
#   A_1, days of 2019: A_1 of 20200101
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet dicomweb-client==0.61.2 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
mkdir archive
venv/bin/python - 2>/dev/null <<'PY' | tee said
from pathlib import Path

from dicomweb_client import DICOMfileClient
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

for number in ("A_1", "A_10", "AB1", "a_1", "A-1", "AX12"):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SOPClassUID, image.Modality = uid.SecondaryCaptureImageStorage, "OT"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, uid.generate_uid())
    image.PatientID = image.PatientName = number
    image.StudyDate, image.StudyTime, image.StudyID = "20200101", "120000", "1"
    image.SeriesNumber = image.InstanceNumber = 1
    image.save_as(f"archive/{image.SOPInstanceUID}.dcm", enforce_file_format=True)

client = DICOMfileClient(Path("archive").absolute().as_uri(), update_db=True, in_memory=True)


def found(**filters):
    return client.search_for_studies(search_filters=filters)


def value(study, tag):
    return study[tag]["Value"][0]


for number in ("A_1", "A_1*", "A?1*"):
    numbers = sorted(value(study, "00100020") for study in found(PatientID=number))
    print(f"{number}:", " ".join(numbers) or "nobody")
for study in found(PatientID="A_1", StudyDate="20190101-20191231"):
    print("A_1, days of 2019:", value(study, "00100020"), "of", value(study, "00080020"))
PY
diff said - <<'SEEN'
A_1: A_1
A_1*: A-1 AB1 AX12 A_1 A_10 a_1
A?1*: nobody
A_1, days of 2019: A_1 of 20200101
SEEN
