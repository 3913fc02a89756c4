import pytest
import torch

from bnnhw.model.data.augment import Augmentation, augment

IMAGES = torch.randint(3, 17, (40, 9, 9, 2), generator=torch.Generator().manual_seed(1)).float()
EACH = [
    Augmentation(shift=2), Augmentation(rotation=20), Augmentation(scale=0.3), Augmentation(shear=0.3),
    Augmentation(elastic=1), Augmentation(crop=2), Augmentation(flip=True), Augmentation(shift=1, crop=1),
]  # fmt: skip


def test_no_strength_changes_nothing() -> None:
    assert torch.equal(augment(IMAGES, Augmentation(), lo=3, hi=16), IMAGES)


@pytest.mark.parametrize("strength", EACH, ids=repr)
def test_each_kind_changes_images_and_stays_in_range(strength: Augmentation) -> None:
    moved = augment(IMAGES, strength, lo=3, hi=16)
    assert not torch.equal(moved, IMAGES)
    assert torch.equal(moved, moved.round())
    assert moved.min() >= 3
    assert moved.max() <= 16


@pytest.mark.parametrize("strength", EACH, ids=repr)
def test_the_default_generator_decides(strength: Augmentation) -> None:
    torch.manual_seed(5)
    first = augment(IMAGES, strength, lo=3, hi=16)
    second = augment(IMAGES, strength, lo=3, hi=16)
    torch.manual_seed(5)
    assert torch.equal(augment(IMAGES, strength, lo=3, hi=16), first)
    assert not torch.equal(second, first)


@pytest.mark.parametrize("strength", EACH, ids=repr)
def test_what_decides_lies_where_the_images_lie(strength: Augmentation) -> None:
    """A device without memory refuses what comes from another one."""
    assert augment(IMAGES.to("meta"), strength, lo=3, hi=16).is_meta


def test_a_shift_moves_a_dot_by_at_most_so_many_pixels() -> None:
    dots = torch.zeros(200, 11, 11, 1)
    dots[:, 5, 5] = 255
    moved = augment(dots, Augmentation(shift=2), lo=0, hi=255)
    rows, columns = moved.sum(dim=(0, 2, 3)), moved.sum(dim=(0, 1, 3))
    for profile in (rows, columns):
        assert profile[3:8].min() > 0
        assert profile[:3].sum() == profile[8:].sum() == 0


def test_what_comes_in_from_outside_is_the_least_value() -> None:
    moved = augment(torch.full((50, 6, 6, 1), 9.0), Augmentation(shift=3), lo=9, hi=20)
    assert bool((moved == 9).all())


def test_a_crop_moves_whole_pixels_and_a_flip_mirrors_half_of_the_images() -> None:
    torch.manual_seed(0)
    images = torch.arange(1.0, 82.0).view(1, 9, 9, 1).repeat(400, 1, 1, 1)
    moved = augment(images, Augmentation(crop=1, flip=True), lo=0, hi=81)
    picture = images[0, ..., 0]
    padded = torch.nn.functional.pad(picture, (1, 1, 1, 1))
    crops = {(y, x): padded[y : y + 9, x : x + 9] for y in range(3) for x in range(3)}
    counts = dict.fromkeys(((*place, flip) for place in crops for flip in (False, True)), 0)
    for image in moved[..., 0]:
        (found,) = [key for key in counts if torch.equal(image, crops[key[:2]].flip(1) if key[2] else crops[key[:2]])]
        counts[found] += 1
    assert min(counts.values()) > 5
    assert abs(sum(count for key, count in counts.items() if key[2]) - 200) < 50
