"""The explorers of lesson 11."""

import asyncio

import pytest

from bnlib.explorers.why_it_works import directions_explorer, landscape_explorer, noise_explorer


@pytest.fixture(scope="module")
def landscape():
    return landscape_explorer()


def test_the_line_says_which_part_of_the_promise_comes(landscape):
    assert landscape.line.startswith("At a loss of 0.8, weights moved by 1.0% of their norm")
    plain, scaled, bn = (float(part.split(": ")[1].strip("%.")) for part in
                         landscape.line.split("comes, ")[1].split(", "))  # fmt: skip
    assert plain < scaled < bn < 100


def test_a_short_way_keeps_the_promise(landscape):
    landscape.controls["share"].value = landscape.controls["share"].options[0][1]
    assert "BN: 9" in landscape.line
    landscape.buttons["Reset"].click()


def test_the_weights_get_longer_and_the_effective_rate_falls():
    explorer = directions_explorer()
    assert "from 0.5 at the start" in explorer.line
    explorer.set(length=1, rate=0.1, step=0)
    assert explorer.line.startswith("Step 0: length 1.00")
    assert "effective rate 0.1, from 0.1" in explorer.line
    explorer.set(rate=3, step=1)
    assert float(explorer.line.split("length ")[1].split(",")[0]) > 3


def test_noise_of_strength_0_is_bn():
    async def train():
        explorer = noise_explorer()
        explorer.settings["strength"].value = 0
        explorer.start()
        while explorer.running or explorer.progress.value < 1:
            await asyncio.sleep(0.01)
        return explorer.runs.recorders

    records = asyncio.run(train())
    assert records["BN, then noise"].accuracy == records["with BN"].accuracy


def test_noise_makes_the_mean_travel():
    explorer = noise_explorer()
    travels = [float(part.split(",")[0]) for part in explorer.line.split("travels ")[1:]]
    assert travels[1] < 2 < travels[2]
