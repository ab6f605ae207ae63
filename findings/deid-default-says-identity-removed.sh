#!/usr/bin/env bash
# deid 0.4.13: with its own recipe, files say "Patient Identity Removed: YES" and still name the patient.
#
# `replace_identifiers(files)`, without a recipe, takes the one that the package ships, and says that it does. What
# comes out is stamped YES in (0012,0062), which downstream tools and people go by. A private element of type PN holds
# the patient's name, as do the comments, the descriptions of study and series, and an item of a sequence. The Patient ID
# is gone, so that all patients are one, the UIDs are gone, without which no archive takes the file, and the issuer of the
# patient's number is "STARR", an archive of one university, whoever's patients these are.
#
# Seen (Python 3.11):
#   Patient Identity Removed YES
#   still there: ImageComments ScheduledProcedureStepDescription SeriesDescription StudyDescription private
#   gone: PatientID StudyInstanceUID SOPInstanceUID
#   Issuer of Patient ID STARR, before ANYTOWN
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile deid==0.4.13 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
HOME=$home venv/bin/python - 2>/dev/null <<'PY' | tee said
from deid.dicom import replace_identifiers
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

NAME = "INVENTED^PERSON"
image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
image.SOPClassUID, image.Modality = uid.ComputedRadiographyImageStorage, "CR"
for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
    setattr(image, keyword, uid.generate_uid())
image.PatientName, image.PatientID, image.IssuerOfPatientID = NAME, "1234", "ANYTOWN"
for keyword in ("StudyDescription", "SeriesDescription", "ImageComments"):
    setattr(image, keyword, f"for {NAME}")
step = Dataset()
step.ScheduledProcedureStepDescription = f"for {NAME}"
image.RequestAttributesSequence = [step]
image.private_block(0x0011, "INVENTED MAKER", create=True).add_new(1, "PN", NAME)
image.Rows = image.Columns = 8
image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
image.PixelData = bytes(64)
image.save_as("image.dcm", enforce_file_format=True)

after = replace_identifiers(dicom_files=["image.dcm"], save=False)[0]
left = [element.keyword or "private" for element in after.iterall() if element.VR != "SQ" and NAME in str(element.value)]
gone = [keyword for keyword in ("PatientID", "StudyInstanceUID", "SOPInstanceUID") if keyword not in after]
print("Patient Identity Removed", after.PatientIdentityRemoved)
print("still there:", *sorted(left))
print("gone:", *gone)
print(f"Issuer of Patient ID {after.IssuerOfPatientID}, before {image.IssuerOfPatientID}")
PY
diff said - <<'SEEN'
Patient Identity Removed YES
still there: ImageComments ScheduledProcedureStepDescription SeriesDescription StudyDescription private
gone: PatientID StudyInstanceUID SOPInstanceUID
Issuer of Patient ID STARR, before ANYTOWN
SEEN
