"""`horus graph`: nodes and topics as they are connected now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import echo_all, print_json, safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.graph import Graph

_BY_SUFFIX = {
    "": "text",
    ".txt": "text",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".svg": "svg",
}


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "dot", "mermaid", "svg"]),
    help="Default: as the file's suffix says, else text.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write it there, not to stdout.",
)
@click.option("--all", "everything", is_flag=True, help="Also HORUS's own topics.")
@json_option
@namespace_option
@bounded()
@click.pass_context
def graph(ctx: click.Context, kind: str | None, output: Path | None, everything: bool, as_json: bool) -> None:
    """Show who publishes and subscribes what, as it is now.

    DOT is for Graphviz, Mermaid for Markdown; SVG needs nothing but a browser. Exits with 1 when something
    cannot be read.

    Examples:
      horus graph                   camera -> rgb (Image) -> detector
      horus graph --format mermaid  for Markdown
      horus graph -o robot.svg      a drawing; no other program is needed
    """
    from horus_plugins.monitor import graph as monitor  # noqa: PLC0415 - not needed for --help

    if as_json and (kind is not None or output is not None):
        raise click.UsageError("--json goes neither with --format nor with --output: leave one out.")
    kind = kind or _kind_of(output)
    where = current_namespace()
    shown = monitor.graph(where, everything=everything)
    if as_json:
        print_json(shown)
    else:
        lines = list(_lines(shown, kind))
        _write(output, lines)
    if not (shown.nodes or shown.topics):
        click.echo(f"No nodes and no topics in namespace {where!r}.", err=True)
    for what, why in shown.unreadable.items():
        click.echo(f"horus: {what} cannot be read: {safe(why)}", err=True)
    ctx.exit(1 if shown.unreadable else 0)


def _kind_of(output: Path | None) -> str:
    suffix = "" if output is None else output.suffix.lower()
    if suffix not in _BY_SUFFIX:
        known = " ".join(filter(None, _BY_SUFFIX))
        raise click.UsageError(
            f"--output {str(output)!r}: expected a name that ends with {known}, got {suffix!r}. "
            "Or say with --format what it is to hold."
        )
    return _BY_SUFFIX[suffix]


def _lines(shown: Graph, kind: str) -> Iterator[str]:
    if kind == "svg":
        from horus_plugins.monitor import graph_svg  # noqa: PLC0415 - only for who asks

        return graph_svg.svg(shown)
    from horus_plugins.monitor import graph_text  # noqa: PLC0415

    return {"text": graph_text.text, "dot": graph_text.dot, "mermaid": graph_text.mermaid}[kind](shown)


def _write(output: Path | None, lines: list[str]) -> None:
    from horus_core.errors import HorusError  # noqa: PLC0415 - not needed for --help

    if output is None or str(output) == "-":
        echo_all(lines)
        return
    try:
        output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise HorusError(
            f"Writing the graph failed: expected a file that can be made, got {error.strerror} ({output}). Give "
            f"another FILE, or - for stdout."
        ) from error
