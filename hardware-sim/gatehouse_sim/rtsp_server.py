"""The simulated cameras' child: GstRtspServer fed with films, for Debian's own python.

It is run as a file by /usr/bin/python3, as Debian's gi fits no other, and so has only gi and the
standard library. `cameras` starts it and speaks to it; all that it knows stands in one JSON object
on its command line, and the films are elementary streams made by `films`.

Each camera is a server of its own: a password, a lost connection or a death concerns one alone.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]  # Debian's own, without types

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402  # after the versions
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

FPS = 25
_DELIMITERS = {"h264": b"\0\0\0\1\x09", "h265": b"\0\0\0\1\x46"}
_LAUNCH = (
    "( appsrc name=film is-live=true do-timestamp=true format=time "
    "caps=video/x-{codec},stream-format=byte-stream,alignment=au ! "
    "{codec}parse ! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )"
)
_VIEWER = "viewer,media.factory.access=(boolean)true,media.factory.construct=(boolean)true"
_LOOK_MS = 10
_LATE_S = 0.5
"""A client that begins, or a machine that slept, is not given the whole past at once."""


class Film:
    """One film, cut into frames; every 25th is a keyframe."""

    def __init__(self, path: Path, size: list[int]) -> None:
        self.codec = path.suffix[1:]
        self.size = size
        delimiter = _DELIMITERS[self.codec]
        _, *frames = path.read_bytes().split(delimiter)
        self.frames = [delimiter + frame for frame in frames]
        self.counts = path.stem == "counter"

    def first(self) -> int:
        """Return the frame to begin with: the counter shows the second of the wall clock."""
        return int(time.time()) * FPS % len(self.frames) if self.counts else 0


class Camera:
    """One camera: what it shows, to whom, and whether it answers at all."""

    def __init__(self, films: dict[str, Film], name: str, film: str, port: int) -> None:
        self._films, self.name, self.port = films, name, port
        self.film = films[film]
        self.stalled = False
        self._password: tuple[str, str, str] | None = None
        self._server: Any = None
        self._source = 0
        self.back()

    def back(self) -> None:
        """Answer again, or for the first time, always on the same port."""
        if self._server is not None:
            return
        self._server = server = GstRtspServer.RTSPServer()
        server.set_address("127.0.0.1")
        server.set_service(str(self.port))
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(_LAUNCH.format(codec=self.film.codec))
        factory.connect("media-configure", lambda _factory, media: _Showing(self, media))
        factory.add_role_from_structure(Gst.Structure.new_from_string(_VIEWER))
        server.get_mount_points().add_factory(f"/{self.name}", factory)
        self._guard()
        self._source = server.attach(None)
        if not self._source:
            raise OSError(f"the camera {self.name} cannot listen on port {self.port}")

    def away(self) -> None:
        """Break every connection and listen no more."""
        if self._server is not None:
            self.drop()
            GLib.source_remove(self._source)
            self._server = None

    def drop(self) -> None:
        """Break every connection."""
        if self._server is not None:
            self._server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)

    def show(self, film: str) -> None:
        """Show another film from the next keyframe on.

        As with a real camera, another size or codec ends every stream.
        """
        before, self.film = self.film, self._films[film]
        if before.codec != self.film.codec:
            self.away()
            self.back()
        elif before.size != self.film.size:
            self.drop()

    def set_password(self, user: str, password: str, how: str) -> None:
        """Ask for a password from now on ("basic" or "digest"); an empty user: for none."""
        if how not in {"basic", "digest"}:
            raise ValueError(f"no way to ask for a password is called {how!r}")
        self._password = (user, password, how) if user else None
        self._guard()
        self.drop()

    def _guard(self) -> None:
        if self._server is None:
            return
        auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        user, password, how = self._password or ("", "", "")
        if how == "basic":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        elif how == "digest":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
        else:
            auth.set_default_token(token)
        self._server.set_auth(auth)


class _Showing:
    """A camera's film on its way to one client."""

    def __init__(self, camera: Camera, media: Any) -> None:  # noqa: ANN401  # gi has no types
        self._camera = camera
        self._source = media.get_element().get_child_by_name("film")
        self._began = GLib.get_monotonic_time()
        self._due = 0
        self._frames = self._forever()
        self._timer = GLib.timeout_add(_LOOK_MS, self._push)
        media.connect("unprepared", lambda _media: self._end())

    def _forever(self) -> Iterator[bytes]:
        while True:
            film = self._camera.film
            first = film.first()
            for number, frame in enumerate(film.frames[first:], first):
                if number % FPS == 0 and self._camera.film is not film:
                    break
                yield frame

    def _push(self) -> bool:
        passed = (GLib.get_monotonic_time() - self._began) / 1e6
        if self._camera.stalled or passed - self._due / FPS > _LATE_S:
            self._due = int(passed * FPS)
            if self._camera.film.counts:  # what was left out shall not make it go slow for good
                self._frames = self._forever()
        while not self._camera.stalled and self._due <= passed * FPS:
            self._due += 1
            self._source.emit("push-buffer", Gst.Buffer.new_wrapped(next(self._frames)))
        return True

    def _end(self) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0


def _obey(cameras: dict[str, Camera], order: dict[str, Any]) -> None:
    camera = cameras[order["camera"]]
    match order["do"]:
        case "show":
            camera.show(order["film"])
        case "stall" | "resume" as what:
            camera.stalled = what == "stall"
        case "away":
            camera.away()
        case "back":
            camera.back()
        case "password":
            camera.set_password(order["user"], order["password"], order.get("how", "digest"))
        case what:
            raise LookupError(f"no order is called {what!r}")


def _in_loop(work: Callable[[], None]) -> None:
    """Do it in GLib's loop, as gi's objects belong to it; raises what it raises."""
    done, errors = threading.Event(), list[Exception]()

    def run() -> bool:
        try:
            work()
        except Exception as exc:  # noqa: BLE001  # whatever it is, who gave the order gets it
            errors.append(exc)
        done.set()
        return False

    GLib.idle_add(run)
    done.wait()
    if errors:
        raise errors[0]


def _answer(cameras: dict[str, Camera], line: str) -> dict[str, Any]:
    try:
        order = json.loads(line)
        _in_loop(lambda: _obey(cameras, order))
    except (LookupError, TypeError, ValueError, OSError) as exc:
        return {"ok": False, "error": f"{type(exc).__name__}: {exc}"}
    return {"ok": True}


def _listen(listener: socket.socket, cameras: dict[str, Camera]) -> None:
    """Answer one who gives orders after the other: JSON objects, one a line."""
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rw", encoding="utf-8") as talk:
            try:
                for line in talk:
                    talk.write(json.dumps(_answer(cameras, line)) + "\n")
                    talk.flush()
            except OSError:
                continue


def main() -> None:
    """Serve until killed; a line on stdout says that all cameras listen.

    With ``--check``, end at once, well only if every part is installed.
    """
    Gst.init(None)
    if sys.argv[1] == "--check":
        parts = ("appsrc", "h264parse", "h265parse", "rtph264pay", "rtph265pay", "rtpbin")
        sys.exit(not all(map(Gst.ElementFactory.find, parts)))
    asked = json.loads(sys.argv[1])
    films = {name: Film(Path(path), size) for name, (path, size) in asked["films"].items()}
    cameras = {
        name: Camera(films, name, film, port) for name, (film, port) in asked["cameras"].items()
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(asked["socket"])
        listener.listen()
        threading.Thread(target=_listen, args=(listener, cameras), daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        GLib.MainLoop().run()


if __name__ == "__main__":
    main()
