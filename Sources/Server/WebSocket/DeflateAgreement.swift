import HTTP

/// What client and server have agreed on about compression (permessage-deflate, RFC 7692 §7).
struct DeflateAgreement: Sendable, Equatable {
    /// Our window, in bits: 9 to ``windowBits``.
    var serverWindowBits = Self.windowBits
    /// The client's window, in bits.
    var clientWindowBits = 15
    var serverKeepsContext = true
    var clientKeepsContext = true
    /// Whether the client may be told a window.
    private var acceptsClientWindow = false

    /// 4 KiB: enough for messages, and an eighth of the memory that zlib's 32 KiB take.
    private static let windowBits = 12

    /// The first offer of `Sec-WebSocket-Extensions` that can be taken; nil without one.
    init?(offers fields: [String]) {
        for offer in fields.flatMap({ $0.split(separator: ",") }) {
            guard let agreement = DeflateAgreement(offer: offer) else { continue }
            self = agreement
            return
        }
        return nil
    }

    /// One offer (RFC 7692 §7.1). One with a parameter that is unknown, wrong or there twice is declined, as the
    /// specification demands.
    private init?(offer: Substring) {
        let parts = offer.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
        guard parts.first == "permessage-deflate" else { return nil }
        var seen: Set<Substring> = []
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
            guard let name = pair.first, seen.insert(name).inserted else { return nil }
            let value = pair.count > 1 ? Self.unquoted(pair[1]) : nil
            switch (name, value) {
            case ("server_no_context_takeover", nil): serverKeepsContext = false
            case ("client_no_context_takeover", nil): clientKeepsContext = false
            case ("server_max_window_bits", let value?):
                // zlib has no window of 2^8 bytes.
                guard let bits = Self.bits(value), bits > 8 else { return nil }
                serverWindowBits = min(bits, Self.windowBits)
            case ("client_max_window_bits", nil): acceptsClientWindow = true
            case ("client_max_window_bits", let value?):
                guard let bits = Self.bits(value) else { return nil }
                acceptsClientWindow = true
                clientWindowBits = bits
            default: return nil
            }
        }
        if acceptsClientWindow { clientWindowBits = min(clientWindowBits, Self.windowBits) }
    }

    /// The value of `Sec-WebSocket-Extensions` that accepts.
    var response: String {
        var text = "permessage-deflate; server_max_window_bits=\(serverWindowBits)"
        if acceptsClientWindow { text += "; client_max_window_bits=\(clientWindowBits)" }
        if !serverKeepsContext { text += "; server_no_context_takeover" }
        if !clientKeepsContext { text += "; client_no_context_takeover" }
        return text
    }

    func makeInflater() -> MessageInflater {
        MessageInflater(windowBits: clientWindowBits, keepsContext: clientKeepsContext)
    }

    func makeDeflater() -> MessageDeflater {
        MessageDeflater(windowBits: serverWindowBits, keepsContext: serverKeepsContext)
    }

    /// 8 to 15, in decimal without leading zeros.
    private static func bits(_ text: Substring) -> Int? {
        guard let number = Int(text), (8...15).contains(number), String(number) == text else { return nil }
        return number
    }

    private static func unquoted(_ text: Substring) -> Substring {
        text.count >= 2 && text.first == "\"" && text.last == "\"" ? text.dropFirst().dropLast() : text
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        return start.lastIndex { $0 != " " && $0 != "\t" }.map { start[...$0] } ?? ""
    }
}
