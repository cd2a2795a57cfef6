"""A small web application over a directory of runs. It reads, and changes nothing.

Nothing outside of the directory is served: a path is resolved first, links and all, and must then
still lie within; a run in which any link leads outside is not shown at all. Pages fetch nothing
from elsewhere, and a browser is told to hold them to it.
"""

import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from partita import reports

HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# A report comes from the files of a run, which may come from anywhere: its scripts may draw it, but
# are of no origin, so that they cannot read what else is served here.
REPORT_HEADERS = HEADERS | {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads; "
    "default-src 'unsafe-inline' 'unsafe-eval' data: blob:",
}
FILE_HEADERS = HEADERS | {"Content-Security-Policy": "sandbox; default-src 'unsafe-inline' data:"}
TYPES = {
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
CHUNK = 2**20


def application(runs: Path, hosts: list[str]) -> Starlette:
    """The application; `hosts` are the names under which it may be asked (`*`: any)."""
    served = _Runs(runs.resolve())
    return Starlette(
        routes=[
            Route("/", served.list),
            Route("/plotly.js", _plotly),
            Route("/compare", served.compare),
            Route("/run/{path:path}", served.page),
            Route("/live/{path:path}", served.live),
            Route("/zip/{path:path}", served.archive),
            Route("/runs/{path:path}/report.html", served.report),
            Route("/runs/{path:path}", served.file),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
        exception_handlers={HTTPException: _refused, reports.RunError: _not_a_run},
    )


def _plotly(_: Request) -> Response:
    headers = HEADERS | {"Cache-Control": "max-age=86400"}
    return Response(reports.plotly_source(), media_type="text/javascript", headers=headers)


def _page(html: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status_code=status, headers=HEADERS)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _page(reports.message_page("nothing here", error.detail), error.status_code)


def _not_a_run(_: Request, error: Exception) -> Response:
    return _page(reports.message_page("this cannot be shown", str(error)), 400)


class _Runs:
    """The handlers. They are plain functions, which Starlette runs in threads."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, _: Request) -> Response:
        return _page(reports.runs_page(str(self.root), reports.rows_of(self.root)))

    def page(self, request: Request) -> Response:
        """A run's page: live while it is in progress, else its report."""
        run = self._run(request.path_params["path"])
        if reports.is_alive(run):
            return _page(reports.live_page(self._name(run), reports.read_spec(run)))
        return RedirectResponse(f"/runs/{quote(self._name(run))}/report.html")

    def report(self, request: Request) -> Response:
        """A run's report: as it is stored, or drawn now where its files are, so that links work."""
        run = self._run(request.path_params["path"])
        if (run / "report.html").is_file():
            html = (run / "report.html").read_text(encoding="utf-8", errors="replace")
        else:
            html = reports.page_of(run)
        return HTMLResponse(html, headers=REPORT_HEADERS)

    def live(self, request: Request) -> Response:
        run = self._run(request.path_params["path"])
        offset = request.query_params.get("from", "0")
        if not re.fullmatch("[0-9]{1,18}", offset):
            raise HTTPException(400, "from= takes a number of bytes")
        found = reports.added(run / "history.jsonl", int(offset))
        finished = not found["more"] and not reports.is_alive(run)
        return JSONResponse(found | {"finished": finished}, headers=HEADERS)

    def compare(self, request: Request) -> Response:
        runs = [self._run(path) for path in request.query_params.getlist("run")]
        return _page(reports.compared(runs)[1])

    def archive(self, request: Request) -> Response:
        run = self._run(request.path_params["path"])
        name = self._name(run).replace("/", "-")
        attached = f"attachment; filename*=UTF-8''{quote(name)}.zip"
        headers = HEADERS | {"Content-Disposition": attached}
        return StreamingResponse(_zipped(run, name), media_type="application/zip", headers=headers)

    def file(self, request: Request) -> Response:
        path = self._inside(request.path_params["path"])
        if not path.is_file():
            raise HTTPException(404, "there is no such file in this directory of runs")
        kind = TYPES.get(path.suffix, "text/plain; charset=utf-8")
        return FileResponse(path, media_type=kind, headers=FILE_HEADERS)

    def _run(self, name: str) -> Path:
        path = self._inside(name)
        if not (path / "run.json").is_file():
            raise HTTPException(404, "there is no such run in this directory")
        if reports.leads_outside(path, self.root):
            raise HTTPException(404, "a link in this run leads out of the directory of runs")
        return path

    def _inside(self, name: str) -> Path:
        """The path that a request means. What leads outside is as if it did not exist."""
        try:
            path = (self.root / name).resolve(strict=True)
        except (OSError, ValueError):
            path = Path("/")
        if not path.is_relative_to(self.root):
            raise HTTPException(404, "there is no such file in this directory of runs")
        return path

    def _name(self, run: Path) -> str:
        return run.relative_to(self.root).as_posix()


def _zipped(run: Path, name: str) -> Iterator[bytes]:
    """A run's files as a zip archive; links are left out, for they may lead anywhere."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(run.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    archive.write(path, f"{name}/{path.relative_to(run)}")
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk
