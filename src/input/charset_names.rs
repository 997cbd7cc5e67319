//! The names that people and programs use for charsets, besides the standard ones.

use encoding_rs::Encoding;

/// Returns the charset with this name: a standard label in any case, or an everyday name with any punctuation.
pub(super) fn find(name: &str) -> Option<&'static Encoding> {
    let standard = |label: &str| Encoding::for_label_no_replacement(label.as_bytes());
    let name = name.trim();
    standard(name).or_else(|| {
        let is_punctuation = |c: char| matches!(c, ' ' | '-' | '_' | '.' | ':' | '(' | ')');
        let plain = name.replace(is_punctuation, "").to_ascii_lowercase();
        standard(&plain).or_else(|| standard(&label_of(&plain)?))
    })
}

/// Returns the standard label for an everyday name without punctuation.
fn label_of(plain: &str) -> Option<String> {
    let label = match plain {
        "ansi"
        | "winansi"
        | "windowsansi"
        | "msansi"
        | "western"
        | "westerneuropean"
        | "westerneuropeanwindows"
        | "windowslatin1" => "windows-1252",
        "utf8sig" | "utf8bom" | "utf8withbom" | "utf8withsignature" | "utf8mb4" | "utf8mb3"
        | "csvutf8" => "utf-8",
        "unicode" | "utf16" | "utf16le" | "ucs2" | "utf16littleendian" | "unicodelittleendian" => {
            "utf-16le"
        }
        "shiftjis" => "shift_jis",
        "utf16be" | "utf16bigendian" | "unicodebigendian" => "utf-16be",
        "mac" | "macroman" | "xmacroman" | "macosroman" | "appleroman" | "macintoshroman"
        | "westernmacosroman" => "macintosh",
        _ => return numbered(plain),
    };
    Some(label.to_owned())
}

/// Returns the standard label for a name that is a word and a number: `cp1252`, `iso88591`, `latin9`.
fn numbered(plain: &str) -> Option<String> {
    let digits = plain.find(|c: char| c.is_ascii_digit())?;
    match plain.split_at(digits) {
        ("" | "iso" | "isoiec", number) if number.starts_with("8859") => {
            Some(format!("iso-8859-{}", &number[4..]))
        }
        ("latin" | "isolatin" | "l", "9") => Some("iso-8859-15".to_owned()),
        ("latin" | "isolatin" | "l", number) => Some(format!("latin{number}")),
        (
            ""
            | "cp"
            | "xcp"
            | "codepage"
            | "windows"
            | "win"
            | "mswin"
            | "ms"
            | "xwindows"
            | "westernwindows"
            | "westerneuropeanwindows"
            | "ansi",
            number,
        ) => Some(code_page(number)),
        _ => None,
    }
}

/// Returns the label of a Windows code page.
fn code_page(number: &str) -> String {
    let label = match number {
        "65001" => "utf-8",
        "1200" => "utf-16le",
        "1201" => "utf-16be",
        "20127" => "us-ascii",
        "932" | "31j" => "shift_jis",
        "936" => "gbk",
        "949" => "euc-kr",
        "950" => "big5",
        "10000" => "macintosh",
        "10007" => "x-mac-cyrillic",
        "54936" => "gb18030",
        _ => match number.strip_prefix("2859") {
            Some(part) => return format!("iso-8859-{part}"),
            None => return format!("windows-{number}"),
        },
    };
    label.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_are_found_by_their_everyday_names() {
        for (charset, names) in [
            (
                "windows-1252",
                "ANSI|ansi|CP-1252|cp1252|CP_1252|Windows 1252|windows1252|Win-1252|1252|Latin-1|latin1|Latin 1|ISO8859-1|\
                 ISO 8859-1|iso-8859-1|ISO_8859-1|8859-1|cp28591|Western European (Windows)|Western (Windows 1252)|\
                 us-ascii|ASCII|x-cp1252",
            ),
            (
                "UTF-8",
                "utf8|UTF-8|UTF_8|utf 8|UTF-8-SIG|utf8 bom|UTF-8 with BOM|utf8mb4|CP65001|65001",
            ),
            (
                "macintosh",
                "MacRoman|Mac Roman|mac|macintosh|x-mac-roman|Western (Mac OS Roman)|cp10000",
            ),
            ("UTF-16LE", "Unicode|utf16|UTF-16|utf-16 le|UCS-2|cp1200"),
            ("UTF-16BE", "Unicode (big endian)|utf16be|1201"),
            (
                "ISO-8859-15",
                "latin9|Latin-9|ISO8859-15|iso 8859-15|iso885915",
            ),
            ("windows-1250", "cp1250|Windows 1250|win1250|CP-1250"),
            ("Shift_JIS", "sjis|Shift JIS|cp932|windows-31j|ms932"),
            ("GBK", "gbk|GB2312|cp936"),
            ("IBM866", "cp866|ibm866"),
        ] {
            for name in names.split('|') {
                let found = find(name).map(Encoding::name);
                assert_eq!(found, Some(charset), "{name}");
            }
        }
    }

    #[test]
    fn other_names_are_unknown() {
        for name in [
            "cp437",
            "OEM",
            "latin-1\u{7}",
            "x",
            "1",
            "cp",
            "windows-",
            "iso-2022-kr",
            "8859-99",
            "EBCDIC",
        ] {
            assert_eq!(find(name), None, "{name:?}");
        }
    }
}
