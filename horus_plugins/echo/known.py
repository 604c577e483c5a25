"""A topic's handle for tools: it takes the type that the region has, and imports nothing that the region names."""

from __future__ import annotations

from horus_core import _native
from horus_core.messages import layout, registry
from horus_core.messages.depth_image import DepthImage
from horus_core.messages.image import Image
from horus_core.messages.point_cloud import PointCloud
from horus_core.messages.tensor import Tensor
from horus_core.topics import types
from horus_core.topics.topic import Topic

POOLED = {cls.__name__: cls for cls in (Image, DepthImage, PointCloud, Tensor)}


class KnownTopic(Topic):
    """A handle whose class is one that is installed, else made from the layout in the region."""

    __slots__ = ()

    @property
    def attached(self) -> bool:
        """Whether its topic was there when it was last looked for."""
        return self._attached

    @property
    def ring(self) -> _native.Ring | None:
        """The topic's ring, as far as it was found."""
        return self._ring

    def look(self) -> _native.Ring | None:
        """Look for the topic; its ring, if there is one by now. That makes nobody a publisher or subscriber."""
        return self._look()

    def skip_to_newest(self) -> None:
        """Pass over all messages but the newest."""
        self._skip(1)

    def _class_of(self, ring: _native.Ring) -> type | None:
        found = types.of_ring(ring)
        if ring.kind == _native.DESCRIPTOR and found.name in POOLED:
            return POOLED[found.name]
        if ring.kind == _native.TYPED and found.layout is not None:
            known = registry.find_same(found.name, found.hash)
            return layout.class_from_layout(found.layout) if known is None else known
        return super()._class_of(ring)
