"""croissant.json: the bundle for programs, in MLCommons' Croissant format 1.0 (docs.mlcommons.org/croissant).

The arrays, the table of splits and that of invented records are told as files with their digests, the tables' columns
as records.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from privgan.language import AS_WRITTEN, speaking
from privgan.records.facts import RecordsFacts
from privgan.records.schema import NUMBER, ORDINAL, Column
from privgan.synthetic.hub_head import licence_url
from privgan.synthetic.synthetic_set import DICTIONARY, IMAGES, RECORDS
from privgan_audits.release import bundle as layout
from privgan_audits.release.recipient.readme import NO_LICENCE, Told
from privgan_audits.report.words.frame import NOT_COVERED_OUTSIDE

Node = dict[str, Any]
_SPECIFICATION = "http://mlcommons.org/croissant/"
# The context that the specification gives (1.0, appendix 1).
_CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": _SPECIFICATION,
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": f"{_SPECIFICATION}RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_ENCODINGS = {".csv": "text/csv", ".json": "application/json", ".md": "text/markdown", ".npz": "application/zip"}
_COLUMNS = {
    "image": ("sc:Integer", "The image's row in the arrays of images.npz, from 0."),
    "file": ("sc:Text", "The DICOM file that holds it, below dataset/; without DICOM files its row."),
    "label": ("sc:Text", "The class that was asked for; nobody has read the image."),
    "split": ("sc:Text", "A suggestion: train, validation or test."),
}


def croissant(told: Told, data: Mapping[str, str]) -> Node:
    """The JSON-LD object, in English whoever reads the README.md.

    Args:
        told: what the README.md says, too.
        data: hex SHA-256 of the files of images, by path below the bundle.
    """
    with speaking(AS_WRITTEN):
        return _croissant(told, data)


def _croissant(told: Told, data: Mapping[str, str]) -> Node:
    predicate = told.predicate
    project, terms = predicate["project"], predicate["terms"]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [f"{_SPECIFICATION}1.0", f"{_SPECIFICATION}RAI/1.0"],
        "name": told.title,
        "description": f"{told.what} Verdict {told.verdict}, {told.strength.promise}.",
        "url": f"urn:sha256:{predicate['synthetic_sha256']}",
        "version": "1.0.0",
        "datePublished": predicate["signed"],
        "license": licence_url(terms["licence"]) if terms["licence"] else NO_LICENCE,
        "creator": {"@type": "sc:Organization", "name": project["house"] or "not said"},
        **({"citeAs": terms["citation"]} if terms["citation"] else {}),
        "keywords": ["synthetic data", "medical images", "differential privacy"],
        "isLiveDataset": False,
        "rai:dataLimitations": list(NOT_COVERED_OUTSIDE),
        "rai:personalSensitiveInformation": [_sensitive(predicate["privacy"])],
        "distribution": list(_files(data)),
        "recordSet": [_images(), *([] if (facts := told.manifest.records) is None else [_records(facts)])],
    }


def _sensitive(privacy: Mapping[str, Any]) -> str:
    return (
        "Learned from patients' images under differential privacy: "
        f"epsilon {privacy['epsilon']:.3g} at delta {privacy['delta']:g}, per {privacy['unit']}."
    )


def _files(data: Mapping[str, str]) -> Iterator[Node]:
    """Single files with their digests; of many alike their digests are in SHA256SUMS."""
    for path, digest in sorted(data.items()):
        if PurePosixPath(path).suffix in _ENCODINGS:
            yield {
                "@type": "cr:FileObject",
                "@id": path,
                "name": path,
                "contentUrl": path,
                "encodingFormat": _ENCODINGS[PurePosixPath(path).suffix],
                "sha256": digest,
            }


def _images() -> Node:
    fields = [_field("images", name, kind, meaning, layout.SPLITS) for name, (kind, meaning) in _COLUMNS.items()]
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": f"One record an image; the pixels are in {layout.DATASET}/{IMAGES}.",
        "key": {"@id": "images/image"},
        "field": fields,
    }


def _records(facts: RecordsFacts) -> Node:
    """Of the invented records; beside each column what was declared of it."""
    place, name = f"{layout.DATASET}/{RECORDS}", "records"
    image = _field(name, "image", "sc:Integer", "The image's row in the arrays, as in images.", place)
    image["references"] = {"field": {"@id": "images/image"}}
    patient = _field(name, "patient", "sc:Text", "The invented patient; nobody's number.", place)
    columns = [
        _field(name, column.name, "sc:Float" if column.kind == NUMBER else "sc:Text", _declared(column), place)
        for column in facts.schema.columns
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": (
            "An invented record for each image, drawn from shares that were measured with noise; "
            f"{layout.DATASET}/{DICTIONARY} says how sure they are."
        ),
        "key": {"@id": f"{name}/image"},
        "field": [image, patient, *columns],
    }


def _declared(column: Column) -> str:
    """What may stand in a column, and of what it is."""
    if column.kind == NUMBER:
        values = f"A number from {column.low} to {column.high}"
    else:
        values = f"{'In this order' if column.kind == ORDINAL else 'One of'}: {', '.join(column.values)}"
    return f"{values}; empty where unknown. Of the {'patient' if column.per_patient else 'image'}."


def _field(record_set: str, name: str, kind: str, meaning: str, file: str) -> Node:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": name,
        "description": meaning,
        "dataType": kind,
        "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
    }
