"""Photo files: read anything a camera or an editor writes, write it back with what it carried. No torch here.

>>> from inpaint_core import photo
>>> picture = photo.read("holiday.jpg")                                      # doctest: +SKIP
>>> photo.write(picture, completed, "holiday-filled.jpg", mask=mask)         # doctest: +SKIP
"""

from inpaint_core.photo.header import MAX_PIXELS
from inpaint_core.photo.picture import FORMATS, HEIC_SUFFIXES, JpegSettings, Photo, is_exact
from inpaint_core.photo.reading import read, read_mask, thumbnail
from inpaint_core.photo.writing import encode, write

__all__ = [
    "FORMATS",
    "HEIC_SUFFIXES",
    "MAX_PIXELS",
    "JpegSettings",
    "Photo",
    "encode",
    "is_exact",
    "read",
    "read_mask",
    "thumbnail",
    "write",
]
