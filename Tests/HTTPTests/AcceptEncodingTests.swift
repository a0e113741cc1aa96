import HTTP
import Testing

@Suite struct AcceptEncodingTests {
    @Test(arguments: [
        ("gzip", true), ("GZip", true), ("x-gzip", true), ("gzip, deflate, br, zstd", true),
        ("br;q=1, gzip;q=0.8", true),
        ("", false), ("identity", false), ("deflate, br", false), ("gzip;q=0", false), ("gzip;q=0.000", false),
        ("*", true), ("*;q=0", false), ("*;q=0.1", true), ("gzip;q=0, *", false), ("identity;q=0", false),
        ("identity;q=0, gzip;q=0.1", true), ("*;q=0, gzip", true), ("gzip;q=0.5", true),
        ("gzip;q=0.5, identity", false),
        ("gzip;q=0.5, identity;q=0.5", true), ("gzip ; Q=0.9", true), ("gzip;q=1.001", false), ("gzip;q=2", false),
        ("gzip;q=x", false), ("gzip;q=", false), ("gzip;level=9;q=0", false), ("gzipped", false), (",,gzip,", true),
        ("\tgzip\t;\tq=1.000 ", true), ("gzip;q=0.1234", false), ("gzip;", true),
    ])
    func negotiates(text: String, prefersGzip: Bool) {
        #expect(AcceptEncoding(parsing: text).prefersGzip == prefersGzip)
    }

    @Test func absentMeansIdentity() {
        #expect(!AcceptEncoding.absent.prefersGzip)
        #expect(AcceptEncoding(parsing: "*;q=0").identity == 0)
        #expect(AcceptEncoding(parsing: "identity;q=0").identity == 0)
        #expect(AcceptEncoding(parsing: "gzip").identity > 0)
    }
}
