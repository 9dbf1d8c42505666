"""Goldens of decoding: small pictures of every format and mode, and the Python Imaging Library's pixels of each.

    python tests/goldens/pictures.py [--seed N] [--out FOLDER]

Writes `pictures.safetensors`: U8 tensors, each the bytes of a file, named FORMAT.MODE. The header's metadata has one entry,
`pictures`: JSON of for each file `shape` (channels, height, width), `stored`, the CRC-32 of the bytes (channel, row,
column) of `convert("RGB")`, and `upright`, the same after `exif_transpose`. Of sixteen bits the upper eight count, which is
what Pillow does with colours; grey it cuts off at 255.
"""

import argparse
import io
import json
import struct
import zlib
from pathlib import Path

import numpy
from PIL import Image, ImageOps, TiffImagePlugin
from safetensors.numpy import save_file

HEIGHT, WIDTH = 17, 19
ORIENTATION = 0x112


def picture(draws, channels, height=HEIGHT, width=WIDTH):
    rows, columns = numpy.mgrid[0:height, 0:width]
    waves = [
        127 + 100 * numpy.sin(columns / 4 + 2 * channel) * numpy.cos(rows / 5 + channel) for channel in range(channels)
    ]
    made = numpy.stack(waves, axis=2) + draws.normal(0, 9, (height, width, channels))
    made[: height // 3, : width // 3] = draws.integers(0, 256, channels)
    return made.clip(0, 255).astype(numpy.uint8)


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def png(pixels, bits, colour):
    """A PNG of sixteen bits, or of interleaved pixels of a kind that Pillow does not write."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = pixels.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    lines = b"".join(b"\0" + line.astype(">u2" if bits == 16 else "u1").tobytes() for line in pixels)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def turned(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def files(draws):
    """Name, bytes, and the pixels where Pillow's are not those wanted."""
    grey, colour, four = (picture(draws, channels) for channels in (1, 3, 4))
    luma = Image.fromarray(grey[:, :, 0])
    rgb = Image.fromarray(colour)
    rgba = Image.fromarray(four, "RGBA")
    cmyk = Image.fromarray(four, "CMYK")
    grey_alpha = Image.merge("LA", [luma, rgba.getchannel(3)])
    palette = rgb.quantize(37)
    for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
        yield f"jpeg.{name}", saved(rgb, "JPEG", quality=85, subsampling=subsampling), None
        yield f"jpeg.{name}.progressive", saved(rgb, "JPEG", subsampling=subsampling, progressive=True), None
    yield "jpeg.restarts", saved(rgb, "JPEG", quality=70, restart_marker_blocks=2), None
    yield "jpeg.best", saved(rgb, "JPEG", quality=100), None
    yield "jpeg.poor", saved(rgb, "JPEG", quality=12), None
    yield "jpeg.grey", saved(luma, "JPEG"), None
    yield "jpeg.grey.progressive", saved(luma, "JPEG", progressive=True), None
    yield "jpeg.rgb", saved(rgb, "JPEG", keep_rgb=True), None
    yield "jpeg.cmyk", saved(cmyk, "JPEG"), None
    yield "jpeg.cmyk.progressive", saved(cmyk, "JPEG", progressive=True), None
    # Adobe's marker says how the colours are transformed: 2 makes of the same numbers YCCK.
    ycck = bytearray(saved(cmyk, "JPEG", quality=90))
    ycck[ycck.index(b"Adobe") + 11] = 2
    yield "jpeg.ycck", bytes(ycck), None
    yield "jpeg.pixel", saved(rgb.crop((0, 0, 1, 1)), "JPEG"), None
    for orientation in range(1, 9):
        small = rgb.crop((3, 4, 14, 10))
        yield f"jpeg.turned.{orientation}", saved(small, "JPEG", exif=turned(orientation)), None

    yield "png.grey", saved(luma, "PNG"), None
    yield "png.grey_alpha", saved(grey_alpha, "PNG"), None
    yield "png.rgb", saved(rgb, "PNG"), None
    yield "png.rgba", saved(rgba, "PNG"), None
    yield "png.palette", saved(palette, "PNG"), None
    yield "png.palette.trns", saved(palette, "PNG", transparency=bytes(range(0, 222, 6))), None
    yield "png.palette.2bits", saved(rgb.quantize(4), "PNG", bits=2), None
    yield "png.1bit", saved(luma.convert("1"), "PNG"), None
    yield "png.grey.trns", saved(luma, "PNG", transparency=int(grey[0, 0, 0])), None
    yield "png.rgb.trns", saved(rgb, "PNG", transparency=tuple(int(value) for value in colour[0, 0])), None
    yield "png.turned", saved(rgb, "PNG", exif=turned(6)), None
    deep = draws.integers(0, 65536, (HEIGHT, WIDTH, 4)).astype(numpy.uint16)
    upper = (deep >> 8).astype(numpy.uint8)
    yield "png.grey.16bits", png(deep[:, :, 0], 16, 0), upper[:, :, [0, 0, 0]]
    yield "png.grey_alpha.16bits", png(deep[:, :, :2], 16, 4), upper[:, :, [0, 0, 0]]
    yield "png.rgb.16bits", png(deep[:, :, :3], 16, 2), None
    yield "png.rgba.16bits", png(deep, 16, 6), None

    yield "gif.palette", saved(palette, "GIF"), None
    yield "gif.transparent", saved(palette, "GIF", transparency=3), None
    yield "gif.interlaced", saved(palette, "GIF", interlace=True), None
    yield "gif.grey", saved(luma, "GIF"), None
    two = [palette, palette.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    yield "gif.two", saved(two[0], "GIF", save_all=True, append_images=two[1:]), None

    yield "bmp.1bit", saved(luma.convert("1"), "BMP"), None
    yield "bmp.grey", saved(luma, "BMP"), None
    yield "bmp.palette", saved(palette, "BMP"), None
    yield "bmp.rgb", saved(rgb, "BMP"), None
    yield "bmp.rgba", saved(rgba, "BMP"), None

    for name in ["raw", "packbits", "tiff_lzw", "tiff_adobe_deflate"]:
        yield f"tiff.rgb.{name}", saved(rgb, "TIFF", compression=name), None
    yield "tiff.1bit", saved(luma.convert("1"), "TIFF"), None
    yield "tiff.grey", saved(luma, "TIFF"), None
    yield "tiff.rgba", saved(rgba, "TIFF"), None
    yield "tiff.grey.16bits", saved(Image.fromarray(deep[:, :, 0]), "TIFF"), upper[:, :, [0, 0, 0]]
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[ORIENTATION] = 8
    yield "tiff.turned", saved(rgb, "TIFF", tiffinfo=tags), None

    yield "webp.lossless", saved(rgb, "WEBP", lossless=True), None
    yield "webp.rgba", saved(rgba, "WEBP", lossless=True, exact=True), None
    yield "webp.lossy", saved(rgb, "WEBP", quality=70), None
    yield "webp.lossy.alpha", saved(rgba, "WEBP", quality=70), None
    yield "webp.two", saved(rgb, "WEBP", lossless=True, save_all=True, append_images=[rgba.convert("RGB")]), None
    yield "webp.turned", saved(rgb, "WEBP", lossless=True, exif=turned(3)), None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    tensors, cases = {}, {}
    for name, file, pixels in files(numpy.random.default_rng(args.seed)):
        image = Image.open(io.BytesIO(file))
        stored = image.convert("RGB")
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
        found = [numpy.asarray(picture) if pixels is None else pixels for picture in (stored, upright)]
        crc = [zlib.crc32(array.transpose(2, 0, 1).tobytes()) for array in found]
        cases[name] = {"shape": [3, *found[1].shape[:2]], "stored": crc[0], "upright": crc[1]}
        tensors[name] = numpy.frombuffer(file, numpy.uint8)
    save_file(tensors, args.out / "pictures.safetensors", {"pictures": json.dumps(cases)})
    print(f"{len(cases)} pictures, {(args.out / 'pictures.safetensors').stat().st_size} bytes")


if __name__ == "__main__":
    main()
