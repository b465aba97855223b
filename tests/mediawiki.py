"""A real MediaWiki on loopback: Debian's package `mediawiki`, PHP's own server, SQLite; all in one folder.

FOLDER/LocalSettings.php        as maintenance/install.php writes it, and `SETTINGS`
FOLDER/data/                    the databases
FOLDER/root/w -> /usr/share/mediawiki
FOLDER/root/files/              the pictures, as the wiki lays them
FOLDER/root/robots.txt          as Commons': crawlers of pages stay away from the API
FOLDER/lag                      while it is there, the databases lag by 9 seconds

What the extension CommonsMetadata tells of a file on Commons, a hook tells here of lines `|Key=value` on its page.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HOME = Path("/usr/share/mediawiki")
SETTINGS = r"""
$wgEnableUploads = true;
$wgUploadDirectory = 'FOLDER/root/files';
$wgUploadPath = '/files';
$wgFileExtensions = [ 'png', 'jpg', 'gif', 'webp', 'svg' ];
$wgUseImageMagick = false;
$wgSVGConverter = false;
$wgMainCacheType = CACHE_NONE;
$wgCacheDirectory = 'FOLDER/cache';
$wgAPIMaxResultSize = 4096;
$wgHooks['ApiMaxLagInfo'][] = static function ( &$lagInfo ) {
    if ( file_exists( 'FOLDER/lag' ) ) {
        $lagInfo = [ 'host' => 'db1', 'lag' => 9, 'type' => 'db' ];
    }
};
$wgHooks['GetExtendedMetadata'][] = static function ( array &$combined, $file ) {
    $pages = MediaWiki\MediaWikiServices::getInstance()->getWikiPageFactory();
    $content = $pages->newFromTitle( $file->getTitle() )->getContent();
    preg_match_all( '/^\|(\w+)(?:\.(\w+))?=(.*)$/m', $content ? $content->getText() : '', $lines, PREG_SET_ORDER );
    foreach ( $lines as [ , $key, $language, $value ] ) {
        $old = $combined[$key]['value'] ?? [ '_type' => 'lang' ];
        $combined[$key]['value'] = $language === '' ? $value : $old + [ $language => $value ];
        $combined[$key]['source'] = 'commons-desc-page';
    }
};
"""


def installed() -> bool:
    """Say whether the packages are there: mediawiki, php-cli, php-sqlite3."""
    if not (HOME / "maintenance" / "install.php").exists() or shutil.which("php") is None:
        return False
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.split()
    return {"pdo_sqlite", "mbstring", "xml", "gd"} <= {name.lower() for name in modules}


@dataclass(frozen=True)
class Wiki:
    """A wiki that answers at http://wiki.test/w/api.php."""

    folder: Path
    port: int

    @property
    def resolve(self) -> dict[str, str]:
        return {"wiki.test": f"127.0.0.1:{self.port}"}

    def requests(self) -> list[str]:
        """Return what the API was asked so far."""
        lines = (self.folder / "server.log").read_text().splitlines()
        return [line.rpartition("GET ")[2] for line in lines if "GET /w/api.php" in line]


@contextlib.contextmanager
def mediawiki(folder: Path, pictures: Mapping[str, tuple[bytes, str]]) -> Iterator[Wiki]:
    """Install a wiki with pictures, name -> (content, wikitext of its page), and serve it."""
    (folder / "root" / "files").mkdir(parents=True)
    (folder / "root" / "w").symlink_to(HOME)
    (folder / "root" / "robots.txt").write_text("User-agent: *\nDisallow: /w/\n")
    _run(folder, "install", "--dbtype", "sqlite", "--dbpath", str(folder / "data"), "--dbname", "wiki",
         "--server", "http://wiki.test", "--scriptpath", "/w", "--pass", "a-long-password-1",
         "--confpath", str(folder), "Test", "Admin")  # fmt: skip
    with (folder / "LocalSettings.php").open("a") as file:
        file.write(SETTINGS.replace("FOLDER", str(folder)))
    _import(folder, pictures)
    yield from _served(folder)


def _run(folder: Path, script: str, *arguments: str) -> None:
    environment = {**os.environ, "MW_CONFIG_FILE": str(folder / "LocalSettings.php")}
    if script == "install":
        del environment["MW_CONFIG_FILE"]
    command = ["php", str(HOME / "maintenance" / f"{script}.php"), *arguments]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _import(folder: Path, pictures: Mapping[str, tuple[bytes, str]]) -> None:
    source = folder / "pictures"
    source.mkdir()
    for name, (content, text) in pictures.items():
        (source / name).write_bytes(content)
        (source / name).with_suffix(".txt").write_text(text)
    _run(folder, "importImages", "--comment-ext=txt", str(source))
    _run(folder, "rebuildtextindex")


def _served(folder: Path) -> Iterator[Wiki]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "MW_CONFIG_FILE": str(folder / "LocalSettings.php"), "PHP_CLI_SERVER_WORKERS": "4"}
    command = ["php", "-S", f"127.0.0.1:{port}", "-t", str(folder / "root")]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port)
        yield Wiki(folder, port)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("PHP's server does not answer")
