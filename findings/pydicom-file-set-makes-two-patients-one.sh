#!/usr/bin/env bash
# pydicom 3.0.2: on a disc of two hospitals' images, two patients with one number become one, with one's name on both.
#
# Numbers are given by hospitals: Issuer of Patient ID says by which (PS3.3 C.7.1.1). Two patients have the number 0042,
# one in each. A directory may hold a number once (F.5.1), so that the second would have to be refused or get another.
# `FileSet.add` takes the second patient's study in under the first, whose name the directory gives for both. A viewer
# that reads the disc by its directory, as viewers do, shows one patient with two studies; a search for the second name
# finds nothing, one for the first finds both. The files themselves are right. Nothing warns; dcmmkdir of DCMTK, of the
# same two files, does.
#
# Seen (Python 3.11):
#   in the files: ONE^A, TWO^B
#   in the directory: ONE^A with 2 studies
#   found by ONE^A: 2, by TWO^B: 0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet pydicom==3.0.2 2>/dev/null
cd "$home"
venv/bin/python -W error::UserWarning - 2>&1 <<'PY' | tee said
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet

disc = FileSet()
for name, issuer in (("ONE^A", "HOSPITAL A"), ("TWO^B", "HOSPITAL B")):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SOPClassUID, image.Modality = uid.SecondaryCaptureImageStorage, "OT"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, uid.generate_uid())
    image.PatientID, image.PatientName, image.IssuerOfPatientID = "0042", name, issuer
    image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "20260101", "120000", "1", "1"
    image.SeriesNumber = image.InstanceNumber = 1
    image.save_as(f"{name[0]}.dcm", enforce_file_format=True)
    disc.add(f"{name[0]}.dcm")
disc.write("disc")

read = FileSet("disc/DICOMDIR")
print("in the files:", ", ".join(sorted(str(dcmread(image.path).PatientName) for image in read)))
records = dcmread("disc/DICOMDIR").DirectoryRecordSequence
names = [str(record.PatientName) for record in records if record.DirectoryRecordType == "PATIENT"]
studies = sum(record.DirectoryRecordType == "STUDY" for record in records)
print("in the directory:", ", ".join(names), f"with {studies} studies")
first, second = (len(read.find(PatientName=name)) for name in ("ONE^A", "TWO^B"))
print(f"found by ONE^A: {first}, by TWO^B: {second}")
PY
diff said - <<'SEEN'
in the files: ONE^A, TWO^B
in the directory: ONE^A with 2 studies
found by ONE^A: 2, by TWO^B: 0
SEEN
