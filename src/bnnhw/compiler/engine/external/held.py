"""What the engine's memories hold of a network's data while its steps are made, and what brings it there.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from dataclasses import dataclass, field, replace

from bnnhw.compiler.engine.layer_fields import columns_of, lines_of
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.maps import words_of
from bnnhw.compiler.engine.values.layer_values import Residual
from bnnhw.compiler.engine.values.value_lanes import ValueSteps, word_of_tile
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program.factors import FACTOR_WORDS
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

from .map_moves import lines_in, lines_out, turned_in
from .places import LayerPlace, MapsInMemory
from .ring import Region, Ring
from .tiling import Part, Tiling, map_words_of, tiles_of_values
from .transfer_order import Load
from .value_moves import move_values

__all__ = ["Held", "Needs"]


@dataclass
class Needs:
    """What a part needs: what is loaded for it, where its results wait and how they go out, and all other regions in
    which it finds something."""

    loads: list[Load] = field(default_factory=list)
    outboxes: list[Region] = field(default_factory=list)
    sends: list[Transfer] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)

    def used_until(self, steps: int) -> None:
        """The part is done when so many steps have ended."""
        for region in (*self.outboxes, *self.regions):
            region.used_until = steps


class Held:
    """The rings of the memories, and which data are in which regions.

    Attributes
    ----------
    weights, parameters, banks, values : Ring
        `values` words of the last one are others'.
    sent_until : dict
        Name of a map, or of one of values -> the steps that have sent it.
    """

    def __init__(
        self, network: EngineNetwork, shape: EngineShape, places: list[LayerPlace], maps: MapsInMemory, *, values: int
    ):
        self.network = network
        self.shape = shape
        self.places = places
        self.maps = maps
        self.weights, self.parameters = Ring(shape.weight_words), Ring(shape.parameters)
        self.banks, self.values = Ring(shape.map_words), Ring(shape.values, begin=values)
        self._outbox, self._value_outbox = Ring(shape.outbox_words), Ring(shape.outbox_words)
        self.sent_until: dict[str, int] = {}
        self._regions: dict[tuple, Region] = {}

    def with_weights(self, number: int, part: Part, needs: Needs) -> Region:
        """Those of a layer's part: what is not there yet is loaded. So do the others."""
        array, place = self.shape.array, self.places[number]
        each = array.rows * array.simd // WORD  # words of the bus
        return self._load(
            ("weights", number, part.row_tiles),
            self.weights,
            len(part.row_tiles) * place.weight_step,
            needs,
            memory=Memory.WEIGHTS,
            word=each,
            first=place.weights * self.shape.burst_words + part.row_tiles.start * place.weight_step * each,
        )

    def with_parameters(self, number: int, part: Part, needs: Needs) -> Region:
        """Thresholds, and factors at the same addresses where the layer makes values."""
        array, place = self.shape.array, self.places[number]
        key, rows = ("parameters", number, part.row_tiles), place.groups * array.group_rows
        is_held = self._found(key) is not None
        region = self._load(
            key,
            self.parameters,
            len(part.row_tiles) * place.groups,
            needs,
            memory=Memory.PARAMETERS,
            word=array.group_rows,
            first=place.parameters * self.shape.burst_words + part.row_tiles.start * rows,
        )
        if self.network.layers[number].values is not None and not is_held:
            word = array.group_rows * FACTOR_WORDS
            first = place.factors * self.shape.burst_words + part.row_tiles.start * rows * FACTOR_WORDS
            needs.loads.append(self._into(region, region.size, Memory.FACTORS, word=word, first=first))
        return region

    def with_maps(self, number: int, tiling: Tiling, part: Part, needs: Needs) -> Region:
        """The lines and columns of all maps that the part reads."""
        layer = self.network.layers[number]
        key = ("maps", number, part.group, part.band, part.band_columns)
        if (region := self._found(key)) is not None:
            needs.regions.append(region)
            return region
        region = self._regions[key] = self.banks.claim(words_of(tiling.bands), align=tiling.bands[0].column_words)
        needs.regions.append(region)
        for name, place in zip(layer.reads, tiling.bands, strict=True):
            source, band = self.maps.places[name], replace(place, base=region.begin + place.base)
            if source.place.strips == band.strips:
                lines = lines_of(layer, part.band)
                columns = columns_of(layer, part.band_columns, band)
                transfers = lines_in(source, band, self.shape, group=part.group, lines=lines, columns=columns)
            else:
                strips = source.place.strips
                transfers = [
                    turned_in(source, band.base, self.shape, group=part.group * strips + each, among=each)
                    for each in range(strips)
                ]
            needs.loads += [Load(transfer, region, self.sent_until.get(name, 0)) for transfer in transfers]
        return region

    def with_residual(self, layer: EngineLayer, residual: Residual, part: Part, needs: Needs) -> ValueSteps | None:
        """The values outside that the part adds, and the steps over them; None where its channels have none."""
        source = self.maps.values[residual.map.name]
        words = source.place.sheet_words
        first, last = (
            word_of_tile(layer, self.shape, row_tile) - residual.first // self.shape.array.group_rows
            for row_tile in (part.row_tiles.start, part.row_tiles.stop)
        )
        sheets = range(max(first, 0) // words, min(-(-last // words), source.place.sheets))
        if not sheets:
            return None
        down, across = residual.stride
        lines = range(part.lines.start * down, (part.lines.stop - 1) * down + 1, down)
        columns = range(part.columns.start * across, part.columns.stop * across)
        pixel_words = len(sheets) * words
        region = self.values.claim(len(lines) * len(columns) * pixel_words)
        needs.regions.append(region)
        needs.loads += [
            Load(transfer, region, self.sent_until.get(residual.map.name, 0))
            for transfer in move_values(
                source,
                region.begin,
                self.shape,
                stores=False,
                group=part.group,
                sheets=sheets,
                lines=lines,
                columns=columns,
            )
        ]
        begin = region.begin + first - sheets.start * words
        return ValueSteps(begin, across * pixel_words, len(columns) * pixel_words)

    def with_greatest(self, layer: EngineLayer, part: Part, needs: Needs) -> ValueSteps:
        """Room for the greatest values of a window of the part, which go out from there."""
        region = self.values.claim(word_of_tile(layer, self.shape, len(part.row_tiles)))
        needs.regions.append(region)
        return ValueSteps(region.begin, 0, 0)

    def send_bits(self, layer: EngineLayer, part: Part, needs: Needs) -> Region:
        """Room for the part's bits in the outbox, from which they go into the layer's map."""
        first = map_words_of(part.row_tiles.start, layer, self.shape)
        count = map_words_of(len(part.row_tiles), layer, self.shape)
        lines, columns = (
            range(each.start * layer.block, each.stop * layer.block) for each in (part.lines, part.columns)
        )
        region = self._outbox.claim(count * len(lines) * len(columns))
        needs.outboxes.append(region)
        needs.sends += lines_out(
            self.maps.places[layer.writes],
            region.begin,
            self.shape,
            group=part.group,
            words=range(first, first + count),
            lines=lines,
            columns=columns,
        )
        return region

    def send_values(self, layer: EngineLayer, name: str, part: Part, needs: Needs) -> ValueSteps:
        """The same of values, and the steps over them."""
        sink = self.maps.values[name]
        sheets = tiles_of_values(layer, self.shape, part.row_tiles)
        pixel_words = len(sheets) * sink.place.sheet_words
        region = self._value_outbox.claim(len(part.lines) * len(part.columns) * pixel_words)
        needs.outboxes.append(region)
        needs.sends += move_values(
            sink,
            region.begin,
            self.shape,
            stores=True,
            group=part.group,
            sheets=sheets,
            lines=part.lines,
            columns=part.columns,
        )
        return ValueSteps(region.begin, pixel_words, len(part.columns) * pixel_words, is_outside=True)

    def _found(self, key: tuple) -> Region | None:
        """The region that still holds these data."""
        region = self._regions.get(key)
        return region if region is not None and region.is_live else None

    def _load(
        self, key: tuple, ring: Ring, size: int, needs: Needs, *, memory: Memory, word: int, first: int
    ) -> Region:
        """Words from `first` on, counted in those of the bus; not again where they are still there."""
        region = self._found(key)
        if region is not None:
            needs.regions.append(region)
            return region
        region = self._regions[key] = ring.claim(size)
        needs.regions.append(region)
        needs.loads.append(self._into(region, size, memory, word=word, first=first))
        return region

    def _into(self, region: Region, size: int, memory: Memory, *, word: int, first: int) -> Load:
        """`size` words of a memory, each of `word` words of the bus, from that word of the external memory on."""
        burst = self.shape.burst_words
        transfer = Transfer(
            stores=False,
            memory=memory,
            place=first // burst,
            bursts=size * word // burst,
            address=region.begin * word,
        )
        return Load(transfer, region)
