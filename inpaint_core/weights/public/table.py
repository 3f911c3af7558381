"""The rows of the registry: nothing but facts, in the order in which lists show them."""

from inpaint_core.weights.public.published import Checksum, PublicWeights, PublishedFile

MMAGIC = "https://download.openmmlab.com/mmediting/inpainting/"
DRIVE = "https://drive.google.com/uc?export=download&id="
RELEASES = "https://github.com/Sanster/models/releases/download/"


def openmmlab(name: str, title: str, path: str, trained_on: str, trained_size: int) -> PublicWeights:
    """A set of OpenMMLab's, by its name in our form: the file's name ends in the first digits of its SHA-256."""
    method, _, word = name.partition("@")
    file = path.rpartition("/")[2]
    digits = file.removesuffix(".pth").rpartition("-")[2]
    return PublicWeights(
        method=method,
        word=word,
        title=title,
        source="OpenMMLab (mmagic)",
        files=(PublishedFile(url=MMAGIC + path, name=file, checksum=Checksum("first digits of sha256", digits)),),
        licence="Apache-2.0 (the repository's); none stated for the file",
        commercial="not stated",
        trained_on=trained_on,
        trained_size=trained_size,
    )


PUBLIC_WEIGHTS = (
    PublicWeights(
        method="lama",
        word="big",
        title="Big LaMa",
        source="the authors, advimman/lama",
        files=(
            PublishedFile(
                url=RELEASES + "add_big_lama/big-lama.pt",
                name="big-lama.pt",
                checksum=Checksum("sha256", "344c77bbcb158f17dd143070d1e789f38a66c04202311ae3a258ef66667a9ea9"),
                bytes=205_669_692,
            ),
            PublishedFile(
                url="https://huggingface.co/smartywu/big-lama/resolve/05cb2be7f8dbe6ca7c6e78f4fc827a4b2baaa4a9/big-lama.zip",
                name="big-lama.zip",
                checksum=Checksum("sha256", "f1b358ca24093b93a106183b98a3dea6e8ed09f3b43ea7251eb2c81e7b4575f6"),
                bytes=381_428_720,
                member="big-lama/models/best.ckpt",
            ),
        ),
        licence="Apache-2.0 (the authors' repository's); never spelled out for the weights",
        commercial="not stated",
        trained_on="Places-Challenge, crops of 256 px, strokes and boxes as holes",
        trained_size=256,
    ),
    PublicWeights(
        method="lama",
        word="anime",
        title="Big LaMa for drawings",
        source="Sanster/IOPaint",
        files=(
            PublishedFile(
                url=RELEASES + "AnimeMangaInpainting/anime-manga-big-lama.pt",
                name="anime-manga-big-lama.pt",
                checksum=Checksum("sha256", "479d3afdcb7ed2fd944ed4ebcc39ca45b33491f0f2e43eb1000bd623cfb41823"),
            ),
        ),
        licence="not stated",
        commercial="not stated",
        trained_on="drawings (anime and manga); no more is stated",
    ),
    PublicWeights(
        method="deepfill_v2",
        word="places2",
        title="Places2",
        source="the authors; converted by nipponjo/deepfillv2-pytorch",
        files=(
            PublishedFile(url=DRIVE + "1tvdQRmkphJK7FYveNAKSMWC6K09hJoyt", name="states_tf_places2.pth", checksum=None),
        ),
        licence="CC BY-NC 4.0, not for commercial use",
        commercial="no",
        trained_on="Places2",
    ),
    PublicWeights(
        method="deepfill_v2",
        word="celebahq",
        title="CelebA-HQ (faces)",
        source="the authors; converted by nipponjo/deepfillv2-pytorch",
        files=(
            PublishedFile(
                url=DRIVE + "1fTQVSKWwWcKYnmeemxKWImhVtFQpESmm", name="states_tf_celebahq.pth", checksum=None
            ),
        ),
        licence="CC BY-NC 4.0, not for commercial use",
        commercial="no",
        trained_on="CelebA-HQ",
    ),
    openmmlab(
        "glcic@places",
        "Places",
        "global_local/gl_256x256_8x12_places_20200619-52a040a8.pth",
        "Places365-Challenge, 256 px, one box of up to 128 px, 500,000 iterations",
        256,
    ),
    openmmlab(
        "glcic@celebahq",
        "CelebA-HQ (faces)",
        "global_local/gl_256x256_8x12_celeba_20200619-5af0493f.pth",
        "CelebA-HQ, 256 px, one box of up to 128 px",
        256,
    ),
    openmmlab(
        "deepfill_v1@places",
        "Places",
        "deepfillv1/deepfillv1_256x256_8x2_places_20200619-c00a0e21.pth",
        "Places365-Challenge, 256 px, one box of up to 128 px, 3.5 million iterations",
        256,
    ),
    openmmlab(
        "deepfill_v1@celebahq",
        "CelebA-HQ (faces)",
        "deepfillv1/deepfillv1_256x256_4x4_celeba_20200619-dd51a855.pth",
        "CelebA-HQ, 256 px, one box of up to 128 px",
        256,
    ),
    PublicWeights(
        method="deepfill_v1",
        word="imagenet",
        title="ImageNet",
        source="daa233/generative-inpainting-pytorch",
        files=(PublishedFile(url=DRIVE + "1qbfA5BP9yzdTFFmiOTvYARUYgW1zwBBK", name="gen_imagenet.pt", checksum=None),),
        licence="MIT (the code's); none stated for the weights",
        commercial="not stated",
        trained_on="ImageNet, 256 px, boxes of 128 px, 430,000 steps",
        trained_size=256,
    ),
    openmmlab(
        "partial_conv@places",
        "Places",
        "pconv/pconv_256x256_stage2_4x2_places_20200619-1ffed0e8.pth",
        "Places365-Challenge, 256 px, strokes of 15 to 65 %, 500,000 iterations",
        256,
    ),
    openmmlab(
        "partial_conv@celeba",
        "CelebA (faces)",
        "pconv/pconv_256x256_stage2_4x2_celeba_20200619-860f8b95.pth",
        "CelebA, 256 px, strokes of 15 to 65 %",
        256,
    ),
    PublicWeights(
        method="context_encoder",
        word="paris",
        title="Paris StreetView",
        source="BoyuanJiang/context_encoder_pytorch",
        files=(PublishedFile(url=DRIVE + "0B6oeoQaX0xmzS0RXXzNYZkZ3ZUk", name="netG_streetview.pth", checksum=None),),
        licence="MIT (the code's); none stated for the weights",
        commercial="not stated",
        trained_on="Paris StreetView, 128 px, the central square as hole",
        trained_size=128,
    ),
    openmmlab(
        "aot_gan@places", "Places", "aot_gan/AOT-GAN_512x512_4x12_places_20220509-6641441b.pth", "Places, 512 px", 512
    ),
    PublicWeights(
        method="migan",
        word="places2",
        title="Places2",
        source="the authors, Picsart-AI-Research/MI-GAN",
        files=(
            PublishedFile(
                url=RELEASES + "migan/migan_traced.pt",
                name="migan_traced.pt",
                checksum=Checksum("md5", "76eb3b1a71c400ee3290524f7a11b89c"),
            ),
            PublishedFile(
                url="https://drive.google.com/drive/folders/1xNtvN2lto0p5yFKOEEg9RioMjGrYM74w",  # only by hand
                name="migan_512_places2.pt",
                checksum=Checksum("sha256", "1d6087eee0aac8923ad2606be5d8caeb4824d3e4de331995e420c74e124a466a"),
            ),
        ),
        licence="MIT",
        commercial="yes",
        trained_on="Places2, 512 px",
        trained_size=512,
    ),
)
