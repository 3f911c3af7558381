"""PixelCNN and PixelRNN: causal to the letter, proper distributions, fills that leave known pixels alone."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from inpaint_core.networks.layers.masked import MaskedConv2d, colour_group
from inpaint_core.networks.pixel_cnn import PixelCNN
from inpaint_core.networks.pixel_distribution import LEVELS, LogisticMixture, Softmax
from inpaint_core.networks.pixel_network import PixelNetwork
from inpaint_core.networks.pixel_rnn import PixelRNN, diagonal_step, diagonal_sweep, skew, unskew

HEIGHT, WIDTH = 6, 7


def make(kind: str, distribution: str = "softmax", width: int = 6) -> PixelNetwork:
    torch.manual_seed(0)
    if kind == "pixel_cnn":
        return PixelCNN(width, blocks=2, distribution=distribution)
    return PixelRNN(width, layers=2, distribution=distribution)


def position(row: int, column: int, colour: int) -> int:
    """The place of a value in reading order, R before G before B."""
    return (row * WIDTH + column) * 3 + colour


def values_used(network: PixelNetwork, places: list[tuple[int, int, int]]) -> list[set[int]]:
    """For each value (row, column, colour) the positions of those on which its distribution depends."""
    image = torch.rand(1, 3, HEIGHT, WIDTH, requires_grad=True)
    output = network(image)
    used = []
    for row, column, colour in places:
        parameters = output[0, :, colour, row, column]
        loss = (parameters * torch.randn_like(parameters)).sum()
        (gradient,) = torch.autograd.grad(loss, image, retain_graph=True)
        used.append(set(gradient[0].permute(1, 2, 0).flatten().nonzero().flatten().tolist()))
    return used


@pytest.mark.parametrize("kind", ["pixel_cnn", "pixel_rnn"])
def test_no_value_depends_on_itself_or_the_future(kind: str) -> None:
    places = list(product((0, 2, HEIGHT - 1), (0, 3, WIDTH - 1), range(3)))
    for place, used in zip(places, values_used(make(kind, width=12), places), strict=True):
        assert max(used, default=-1) < position(*place)


def test_every_value_of_the_past_reaches_the_diagonal_bilstm() -> None:
    places = [(0, 0, 2), (2, 6, 1), (3, 0, 2), (5, 6, 2)]
    for place, used in zip(places, values_used(make("pixel_rnn", width=12), places), strict=True):
        assert used == set(range(position(*place)))


def test_neighbours_and_earlier_colours_reach_pixel_cnn() -> None:
    (used,) = values_used(make("pixel_cnn", width=12), [(3, 3, 2)])
    own = position(3, 3, 2)
    assert {own - 1, own - 2} <= used  # R and G of the pixel itself
    assert {own - 3, own - 3 * WIDTH} <= used  # B of the left and of the upper neighbour


@pytest.mark.parametrize("kind", ["pixel_cnn", "pixel_rnn"])
def test_gradients_reach_every_parameter(kind: str) -> None:
    network = make(kind)
    network.bits_per_dimension(torch.rand(2, 3, HEIGHT, WIDTH)).backward()
    assert not [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]


@pytest.mark.parametrize("distribution", [Softmax(), LogisticMixture(4)])
def test_probabilities_sum_to_one(distribution: Softmax | LogisticMixture) -> None:
    parameters = torch.randn(5, distribution.parameters, generator=torch.Generator().manual_seed(0)) * 3
    probabilities = distribution.log_probabilities(parameters).exp()
    assert probabilities.shape == (5, LEVELS)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(5))


def test_one_narrow_logistic_puts_its_mass_on_its_mean() -> None:
    level = 200
    parameters = torch.tensor([[0.0, level / 255 * 2 - 1, -7.0]])
    assert LogisticMixture(1).log_probabilities(parameters).argmax() == level


def test_log_likelihood_picks_the_probability_of_the_image() -> None:
    parameters = torch.randn(1, LEVELS, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    image = torch.randint(0, 256, (1, 3, 2, 2), generator=torch.Generator().manual_seed(1))
    found = Softmax().log_likelihood(parameters, image.float() / 255)
    expected = torch.log_softmax(parameters[0, :, 2, 1, 0], 0)[image[0, 2, 1, 0]]
    torch.testing.assert_close(found[0, 2, 1, 0], expected)


@pytest.mark.parametrize("distribution", ["softmax", "logistic_mixture"])
@pytest.mark.parametrize("kind", ["pixel_cnn", "pixel_rnn"])
def test_training_on_one_image_makes_it_likely(kind: str, distribution: str) -> None:
    network = make(kind, distribution)
    image = torch.linspace(0.2, 0.8, WIDTH).expand(2, 3, HEIGHT, WIDTH)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    first = network.bits_per_dimension(image).item()
    for _ in range(25):
        optimiser.zero_grad()
        network.bits_per_dimension(image).backward()
        optimiser.step()
    assert network.bits_per_dimension(image).item() < 0.9 * first


@pytest.mark.parametrize("kind", ["pixel_cnn", "pixel_rnn"])
def test_completion_keeps_known_pixels_and_repeats_for_a_seed(kind: str) -> None:
    network = make(kind)
    image = torch.rand(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(2, 1, HEIGHT, WIDTH)
    mask[0, :, 2:4, 3:5] = 1
    mask[1, :, 1:3, 4:6] = 1

    def fill(seed: int) -> tuple[Tensor, Tensor]:
        return network.complete(image, mask, torch.Generator().manual_seed(seed))

    result, entropy = fill(5)
    known = mask.expand_as(image) == 0
    assert torch.equal(result[known], image[known])
    assert torch.equal(result, fill(5)[0])
    assert not torch.equal(result, fill(6)[0])
    levels = result[~known] * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert (entropy[mask > 0] > 10).all()  # an untrained network is unsure: 24 bits at most
    assert (entropy[mask == 0] == 0).all()


@torch.no_grad()
def test_a_cold_completion_takes_the_likeliest_value_given_what_was_drawn_before() -> None:
    network = make("pixel_cnn")
    image = torch.rand(1, 3, HEIGHT, WIDTH)
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., 2:5, 2:5] = 1
    result, _ = network.complete(image, mask, temperature=0)
    likeliest = network.distribution.log_probabilities(network(result).movedim(1, -1)).argmax(-1) / 255
    hole = mask.expand_as(image) > 0
    torch.testing.assert_close(result[hole], likeliest[hole], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["pixel_cnn", "pixel_rnn"])
def test_a_network_can_start_from_the_best_linear_prediction(kind: str) -> None:
    network = make(kind, "logistic_mixture")
    generator = torch.Generator().manual_seed(0)
    red = torch.rand(4, 1, 12, 12, generator=generator)
    image = torch.cat((red, 0.2 + 0.5 * red, 0.5 * (0.2 + 1.5 * red)), dim=1)  # green follows from red, blue from both
    before = network.bits_per_dimension(image).item()
    network.predict_linearly(image)
    assert network.direct is not None
    means = network.direct(image * 2 - 1).unflatten(1, (3, 3, -1))[:, :, 1]  # (N, colour, component, H, W)
    for colour in (1, 2):
        expected = (image[:, colour, None] * 2 - 1).expand_as(means[:, colour])
        torch.testing.assert_close(means[:, colour], expected, atol=2e-3, rtol=0)
    assert network.bits_per_dimension(image).item() < before - 2
    places = list(product((0, 2, HEIGHT - 1), (0, 3, WIDTH - 1), range(3)))
    for place, used in zip(places, values_used(network, places), strict=True):
        assert max(used, default=-1) < position(*place)


def test_bits_in_the_hole_count_the_hole_only() -> None:
    network = make("pixel_cnn")
    image = torch.rand(1, 3, HEIGHT, WIDTH)
    everything = network.bits_per_dimension(image, torch.ones(1, 1, HEIGHT, WIDTH))
    torch.testing.assert_close(everything, network.bits_per_dimension(image))
    left, right = torch.ones(1, 1, HEIGHT, WIDTH), torch.ones(1, 1, HEIGHT, WIDTH)
    left[..., 3:], right[..., :3] = 0, 0
    halves = network.bits_per_dimension(image, left) * 3 / 7 + network.bits_per_dimension(image, right) * 4 / 7
    torch.testing.assert_close(everything, halves)


def test_skewing_puts_upper_and_left_neighbours_into_the_column_before() -> None:
    image = torch.arange(12.0).reshape(1, 1, 3, 4, 1)
    columns = skew(image)
    assert columns.shape == (6, 1, 3, 1, 1)
    assert columns[:, 0, :, 0, 0].T.tolist() == [[0, 1, 2, 3, 0, 0], [0, 4, 5, 6, 7, 0], [0, 0, 8, 9, 10, 11]]
    assert torch.equal(unskew(columns, 4), image)


def test_the_sweep_is_an_lstm_of_the_upper_and_the_left_neighbour() -> None:
    generator = torch.Generator().manual_seed(0)
    gates = torch.randn(2, 2, 3, 4, 20, generator=generator)
    weight = torch.randn(2, 10, 20, generator=generator) / 3
    states = diagonal_sweep(gates, weight)
    for direction in range(2):
        nothing = torch.zeros(2, 5)
        hidden: dict[tuple[int, int], Tensor] = {}
        cells: dict[tuple[int, int], Tensor] = {}
        for row, column in product(range(3), range(4)):
            above, beside = hidden.get((row - 1, column), nothing), hidden.get((row, column - 1), nothing)
            cell = cells.get((row, column - 1), nothing)
            found = diagonal_step(gates[direction, :, row, column], above, beside, cell, weight[direction])
            hidden[row, column], cells[row, column] = found
            torch.testing.assert_close(states[direction, :, row, column], found[0])


def test_the_sweeps_own_backward_pass_is_its_derivative() -> None:
    generator = torch.Generator().manual_seed(0)
    gates = torch.randn(2, 2, 3, 4, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 4, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(diagonal_sweep, (gates, weight))


def test_groups_are_thirds_of_each_piece() -> None:
    assert colour_group(6).tolist() == [0, 0, 1, 1, 2, 2]
    assert colour_group(6, tiles=2).tolist() == [0, 1, 2, 0, 1, 2]
    with pytest.raises(ValueError, match="cannot be divided"):
        MaskedConv2d("A", 3, 4)
    with pytest.raises(ValueError, match="A or B"):
        MaskedConv2d("C", 3, 3)
