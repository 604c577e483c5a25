"""Sound."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
from typing import TYPE_CHECKING

from horus_core.messages.fields import array, f32, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

MAX_SAMPLES = 4800
_STEREO = 2


class AudioEncoding(enum.IntEnum):
    """How samples are meant."""

    F32 = 0
    I16 = 1


class AudioFrame(Message, topic="audioframe"):
    """Up to 4800 samples, which travel at their used length: 100 ms of one channel at 48 kHz."""

    samples: "NDArray[np.float32]" = array(
        f32, MAX_SAMPLES, bounded=True, unit="1", doc="From -1 to 1; channels in turn: left, right, left ..."
    )
    sample_rate: u32 = field(default=16000, unit="Hz", doc="Samples a second, of each channel.")
    channels: u8 = field(default=0, doc="How many; 0 is unset, and taken as 1.")
    encoding: AudioEncoding | int = field(
        default=AudioEncoding.F32, storage=u8, doc="F32: -1 to 1; I16: whole numbers from -32768 to 32767."
    )
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Of the first sample; 0 is unset.")
    frame_id: str = text(32, doc="Which microphone.")

    @classmethod
    def mono(cls, samples: "NDArray[np.float32] | Sequence[float]", sample_rate: int = 16000) -> "Self":
        """Make a frame of one channel; `sample_rate` in Hz. Raises ValueError for more than 4800 samples."""
        return cls.multi_channel(samples, 1, sample_rate)

    @classmethod
    def stereo(cls, samples: "NDArray[np.float32] | Sequence[float]", sample_rate: int = 16000) -> "Self":
        """Make a frame of two channels: left, right, left, right ..."""
        return cls.multi_channel(samples, _STEREO, sample_rate)

    @classmethod
    def multi_channel(
        cls,
        samples: "NDArray[np.float32] | Sequence[float]",
        channels: int,
        sample_rate: int = 16000,
    ) -> "Self":
        """Make a frame of several channels in turn; an array of shape (frames, channels) will do, too."""
        if channels < 1 or _size(samples) % channels != 0:
            raise ValueError(
                f"AudioFrame: expected a multiple of {channels} samples, one for each channel, got {_size(samples)}."
            )
        return cls(samples, sample_rate, channels)  # type: ignore[arg-type] # sequences will do

    @property
    def num_samples(self) -> int:
        """How many samples there are, of all channels."""
        return len(self.samples)

    def duration(self) -> float:
        """Return how long it sounds, in seconds."""
        return self.num_samples / (self.channels or 1) / self.sample_rate if self.sample_rate else 0.0

    def by_channel(self) -> "NDArray[np.float32]":
        """Return the samples as a view of shape (frames, channels)."""
        return self.samples.reshape(-1, self.channels or 1)

    def is_valid(self) -> bool:
        """Whether there is a rate, as many samples of each channel, and all are finite."""
        even = len(self.samples) % (self.channels or 1) == 0
        return (
            self.sample_rate > 0
            and even
            and checks.known(self.encoding, AudioEncoding)
            and checks.all_finite(self, "samples")
        )


def _size(samples: "NDArray[np.float32] | Sequence[float]") -> int:
    size = getattr(samples, "size", None)
    return len(samples) if size is None else int(size)


TYPES: tuple[type[Message], ...] = (AudioFrame,)
