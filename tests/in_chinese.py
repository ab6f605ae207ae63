"""Whether what is said in Chinese is Chinese: names, options, file names and values may stand in it as they are."""

import re

_NAMES = re.compile(r"""`[^`]*`|'[^']*'|"[^"]*"|“[^”]*”|--[a-z-]+|\S*[._/]\S*|JPEG Lossless""")


def english_in(text: str) -> list[str]:
    """Runs of two or more words in Latin letters.

    >>> english_in("应为 --csv 标签表，但 none.csv 不存在。"), english_in("应为 table for you，但没有。")
    ([], ['table for you'])
    """
    return re.findall(r"[A-Za-z]{2,}(?: [A-Za-z]{2,})+", _NAMES.sub("·", text))
