/// Media types by name (RFC 9110 §8.3.1).
public enum MediaType {
    /// The `Content-Type` of a file by the extension of its name, with `charset=utf-8` for text; nil for one unknown.
    public static func contentType(fileName: some StringProtocol) -> String? {
        guard let dot = fileName.lastIndex(of: "."),
            let type = byExtension[fileName[fileName.index(after: dot)...].lowercased()]
        else { return nil }
        return type.hasPrefix("text/") ? "\(type); charset=utf-8" : type
    }

    /// What has no known type.
    public static let octetStream = "application/octet-stream"

    private static let byExtension: [String: String] = [
        // Text
        "html": "text/html", "htm": "text/html", "css": "text/css", "js": "text/javascript", "mjs": "text/javascript",
        "txt": "text/plain", "text": "text/plain", "log": "text/plain", "md": "text/markdown", "csv": "text/csv",
        "ics": "text/calendar", "vcf": "text/vcard", "vtt": "text/vtt", "xml": "text/xml", "xsl": "text/xml",
        // Data
        "json": "application/json", "map": "application/json", "jsonld": "application/ld+json",
        "geojson": "application/geo+json", "webmanifest": "application/manifest+json",
        "rss": "application/rss+xml", "atom": "application/atom+xml", "xhtml": "application/xhtml+xml",
        "yaml": "application/yaml", "yml": "application/yaml", "wasm": "application/wasm", "pdf": "application/pdf",
        "rtf": "application/rtf", "epub": "application/epub+zip", "sqlite3": "application/vnd.sqlite3",
        // Images
        "svg": "image/svg+xml", "svgz": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg",
        "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "ico": "image/x-icon",
        "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "heic": "image/heic", "jxl": "image/jxl",
        // Fonts
        "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf", "ttc": "font/collection",
        "eot": "application/vnd.ms-fontobject",
        // Sound and pictures that move
        "mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
        "wav": "audio/wav", "flac": "audio/flac", "aac": "audio/aac", "weba": "audio/webm", "mid": "audio/midi",
        "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
        "mpeg": "video/mpeg", "mpg": "video/mpeg", "avi": "video/x-msvideo", "mkv": "video/matroska",
        "ts": "video/mp2t", "m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml",
        // Archives and programs
        "zip": "application/zip", "gz": "application/gzip", "tgz": "application/gzip", "bz2": "application/x-bzip2",
        "xz": "application/x-xz", "zst": "application/zstd", "7z": "application/x-7z-compressed",
        "tar": "application/x-tar", "jar": "application/java-archive", "deb": "application/vnd.debian.binary-package",
        "rpm": "application/x-rpm", "whl": "application/zip", "iso": "application/x-iso9660-image",
        "apk": "application/vnd.android.package-archive",
        // Office documents
        "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odp": "application/vnd.oasis.opendocument.presentation",
    ]
}
