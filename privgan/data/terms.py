"""The words by which DICOM calls what an image is and what it shows; whatever else a header says is no such word.

Modality: the defined terms of PS3.3 C.7.3.1.1.1 that an image can have. Body Part Examined: those of PS3.16, annex L.
Both lists may be added to (PS3.5 section 6.3), so that a person may type another body part; what a hospital's own
headers say beyond them is nobody's to repeat.
"""

from privgan.errors import UsageError

OTHER = "OT"
MODALITIES = frozenset(
    (
        "AR", "BDUS", "BI", "BMD", "CR", "CT", "DG", "DMS", "DX", "ES", "GM", "IO", "IVOCT", "IVUS", "LS", "MG", "MR",
        "NM", "OCT", "OP", "OPT", "OPTENF", "OSS", OTHER, "PA", "PT", "PX", "RF", "RG", "RTIMAGE", "SM", "TG", "US",
        "XA", "XC",
    )
)  # fmt: skip
BODY_PARTS = frozenset(
    (
        "ABDOMEN", "ABDOMENPELVIS", "ADRENAL", "ANKLE", "AORTA", "ARM", "AXILLA", "BACK", "BLADDER", "BRAIN",
        "BREAST", "BRONCHUS", "BUTTOCK", "CALCANEUS", "CALF", "CAROTID", "CEREBELLUM", "CERVIX", "CHEEK", "CHEST",
        "CHESTABDOMEN", "CHESTABDPELVIS", "CIRCLEOFWILLIS", "CLAVICLE", "COCCYX", "COLON", "CORNEA",
        "CORONARYARTERY", "CSPINE", "CTSPINE", "DUODENUM", "EAR", "ELBOW", "ESOPHAGUS", "EXTREMITY", "EYE", "EYELID",
        "FACE", "FEMUR", "FINGER", "FOOT", "GALLBLADDER", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS",
        "IAC", "ILEUM", "ILIUM", "JAW", "JEJUNUM", "KIDNEY", "KNEE", "LARYNX", "LEG", "LIVER", "LSPINE", "LSSPINE",
        "LUNG", "MAXILLA", "MEDIASTINUM", "MOUTH", "NECK", "NECKCHEST", "NECKCHESTABDOMEN", "NECKCHESTABDPELV",
        "NOSE", "ORBIT", "OVARY", "PANCREAS", "PAROTID", "PATELLA", "PELVIS", "PENIS", "PHARYNX", "PROSTATE",
        "RADIUS", "RADIUSULNA", "RECTUM", "RIB", "SCALP", "SCAPULA", "SCLERA", "SCROTUM", "SHOULDER", "SKULL",
        "SPINE", "SPLEEN", "SSPINE", "STERNUM", "STOMACH", "SUBMANDIBULAR", "TESTIS", "THIGH", "THUMB", "THYMUS",
        "THYROID", "TIBIA", "TIBIAFIBULA", "TLSPINE", "TMJ", "TOE", "TONGUE", "TRACHEA", "TSPINE", "ULNA", "URETER",
        "URETHRA", "UTERUS", "VAGINA", "VULVA", "WHOLEBODY", "WRIST", "ZYGOMA",
    )
)  # fmt: skip


def modality_term(said: str) -> str:
    """A header's modality as the standard's term, empty if it is none.

    >>> modality_term("cr"), modality_term("Dr. Who")
    ('CR', '')
    """
    return said.upper() if said.upper() in MODALITIES else ""


def body_part_term(said: str) -> str:
    """A header's body part as the standard's term, empty if it is none."""
    return said.upper() if said.upper() in BODY_PARTS else ""


def require_modality(typed: str) -> None:
    """Refuse a modality to be written that no reader of DICOM would know.

    Raises:
        UsageError: it is none of the standard's.
    """
    if typed not in MODALITIES:
        raise UsageError(
            f"Expected --modality to begin with a modality of DICOM (PS3.3 C.7.3.1.1.1), got {typed}: the synthetic "
            f"images are called by it. Known are {', '.join(sorted(MODALITIES))}; {OTHER} is for all else."
        )
