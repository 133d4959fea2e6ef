"""MkDocs hooks: pages in docs/ link to files all over the repository. Those files become part of the site, under
source/, pages as pages and code as text, so that each link works both in the repository and in the built manual."""
import os
import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACE = "source"
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def repository_path(uri):
    """Of a page of the site: its place in the repository."""
    return uri[len(PLACE) + 1:] if uri.startswith(PLACE + "/") else "docs/" + uri


def site_path(path):
    """Of a file in the repository: its place in the site; a folder's is its README.md or its CMakeLists.txt."""
    if (ROOT / path).is_dir():
        path = next((f"{path}/{n}" for n in ("README.md", "CMakeLists.txt") if (ROOT / path / n).is_file()), path)
    if not (ROOT / path).is_file():
        return None
    name = path[len("docs/"):] if path.startswith("docs/") else f"{PLACE}/{path}"
    return name if posixpath.splitext(name)[1] in (".md", ".svg", ".png") else name + ".txt"


def targets(page, text):
    """(link, path in the repository) of each relative link of a page."""
    for _, link, _ in LINK.findall(text):
        if "://" not in link and not link.startswith(("mailto:", "/")):
            yield link, posixpath.normpath(posixpath.join(posixpath.dirname(repository_path(page)), link))


def on_files(files, config):
    """Adds what is linked to, and what that links to."""
    waiting = [f.src_uri for f in files if f.src_uri.endswith(".md")]
    wanted = [n["path"] for n in nav_pages(config["nav"])]
    waiting += [add(files, config, p) for p in wanted if files.get_file_from_path(p) is None]
    while waiting:
        page = waiting.pop()
        if page is None or not page.endswith(".md"):
            continue
        text = (ROOT / repository_path(page)).read_text()
        for _, path in targets(page, text):
            place = site_path(path)
            if place and files.get_file_from_path(place) is None:
                waiting.append(add(files, config, place))
    return files


def nav_pages(nav):
    for entry in nav:
        for value in entry.values():
            if isinstance(value, list):
                yield from nav_pages(value)
            else:
                yield {"path": value}


def add(files, config, place):
    source = ROOT / repository_path(place)
    if not source.is_file() and place.endswith(".txt"):
        source = source.with_suffix("")
    if not source.is_file():
        return None
    files.append(File.generated(config, place, abs_src_path=os.fspath(source)))
    return place


def on_page_markdown(markdown, page, config, files):
    def replace(match):
        for link, path in targets(page.file.src_uri, match.group(0)):
            place = site_path(path)
            if place:
                return match.group(1) + posixpath.relpath(place, posixpath.dirname(page.file.src_uri)) + match.group(3)
        return match.group(0)
    return LINK.sub(replace, markdown)
