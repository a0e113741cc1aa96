import HTTP
import NIOCore

/// The fields of a request that decide which form of a file is sent, found in one pass over the head.
struct FileConditions {
    private(set) var acceptEncoding = AcceptEncoding.absent
    private(set) var hasRange = false
    private var hasConditions = false
    private var request: RequestHead
    private var ifNoneMatch: ByteRange?
    private var ifNoneMatchCount = 0

    /// What the preconditions say (RFC 9110 §13.2.2).
    enum Verdict {
        case proceed
        case notModified
        case failed
    }

    init(_ request: RequestHead) {
        self.request = request
        request.withUnsafeBytes { head in
            for field in request.fields.ranges {
                // Lengths first: most fields of a request are none of these.
                switch field.name.count {
                case 5: if Self.isNamed(head, field, "range") { hasRange = true }
                case 8:
                    if Self.isNamed(head, field, "if-match") { hasConditions = true }
                case 13:
                    if Self.isNamed(head, field, "if-none-match") {
                        hasConditions = true
                        ifNoneMatch = field.value
                        ifNoneMatchCount += 1
                    }
                case 15:
                    if Self.isNamed(head, field, "accept-encoding") {
                        let value = UnsafeRawBufferPointer(
                            rebasing: head[Int(field.value.start)..<Int(field.value.start + field.value.count)])
                        acceptEncoding = AcceptEncoding(parsing: value)
                    }
                case 17: if Self.isNamed(head, field, "if-modified-since") { hasConditions = true }
                case 19: if Self.isNamed(head, field, "if-unmodified-since") { hasConditions = true }
                default: break
                }
            }
        }
    }

    private static func isNamed(_ head: UnsafeRawBufferPointer, _ field: FieldRange, _ name: StaticString) -> Bool {
        let start = Int(field.name.start)
        for offset in 0..<name.utf8CodeUnitCount where Token.lower(head[start + offset]) != name.utf8Start[offset] {
            return false
        }
        return true
    }

    /// Evaluates the preconditions for `representation`, in RFC 9110's order, for GET and HEAD.
    func verdict(_ representation: Representation) -> Verdict {
        guard hasConditions else { return .proceed }
        if ifNoneMatchCount == 1, let range = ifNoneMatch, isExactly(range, representation.tagBytes),
            request.fields.first("If-Match") == nil, request.fields.first("If-Unmodified-Since") == nil
        {
            return .notModified
        }
        if let value = request.fields.joined("If-Match") {
            guard EntityTagCondition(parsing: value).matchesStrongly(representation.tag) else { return .failed }
        } else if let value = request.fields["If-Unmodified-Since"], let limit = HTTPDate(parsing: value) {
            guard let modified = representation.modified, modified <= limit else { return .failed }
        }
        if let value = request.fields.joined("If-None-Match") {
            return EntityTagCondition(parsing: value).matchesWeakly(representation.tag) ? .notModified : .proceed
        }
        if let modified = representation.modified, let range = request.fields.first("If-Modified-Since") {
            // Browsers send back what they were sent: no date has to be read then.
            if isExactly(range, representation.modifiedBytes) { return .notModified }
            if let since = HTTPDate(parsing: request.string(range)), modified <= since { return .notModified }
        }
        return .proceed
    }

    /// The part of `representation` that is asked for; `.whole` also when `If-Range` does not hold (RFC 9110 §13.1.5).
    func range(of representation: Representation) -> RangeRequest.Resolution {
        guard hasRange, representation.supportsRanges, let value = request.fields["Range"],
            let range = RangeRequest(parsing: value)
        else { return .whole }
        if let condition = request.fields["If-Range"] {
            if let tag = EntityTag(parsing: condition) {
                guard tag.matchesStrongly(representation.tag) else { return .whole }
            } else {
                guard let date = HTTPDate(parsing: condition), date == representation.modified else { return .whole }
            }
        }
        return range.resolve(length: representation.count)
    }

    private func isExactly(_ range: ByteRange, _ bytes: [UInt8]) -> Bool {
        guard Int(range.count) == bytes.count, !bytes.isEmpty else { return false }
        return request.withUnsafeBytes { head in
            head[Int(range.start)..<Int(range.start + range.count)].elementsEqual(bytes)
        }
    }
}
