import Gateway
import HTTP
import NIOCore

/// The page that lists a directory.
enum DirectoryListing {
    /// A page for the directory at the request's `path`; names are escaped, directories come first.
    static func page(
        _ path: UnsafeRawBufferPointer, _ entries: [(name: [UInt8], isDirectory: Bool)]
    ) -> ByteBuffer {
        let title = ErrorPage.escape(String(decoding: path, as: UTF8.self))
        var page = ByteBuffer()
        page.writeString(
            """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">\
            <title>Index of \(title)</title></head>
            <body><h1>Index of \(title)</h1><ul>

            """)
        if path.count > 1 { page.writeString("<li><a href=\"../\">../</a></li>\n") }
        let sorted = entries.sorted {
            $0.isDirectory != $1.isDirectory ? $0.isDirectory : $0.name.lexicographicallyPrecedes($1.name)
        }
        for entry in sorted {
            let slash = entry.isDirectory ? "/" : ""
            // "./" keeps a name with a colon from being read as a scheme.
            let link = "./" + PercentCoding.encodeComponent(entry.name) + slash
            let name = ErrorPage.escape(String(decoding: entry.name, as: UTF8.self)) + slash
            page.writeString("<li><a href=\"\(link)\">\(name)</a></li>\n")
        }
        page.writeString("</ul></body></html>\n")
        return page
    }
}
