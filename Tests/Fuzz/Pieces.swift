/// Cuts `input` into pieces: one byte each, or of lengths taken from the input's own bytes.
func cut(_ input: ArraySlice<UInt8>, _ choice: UInt8) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = input
    var step = Int(choice)
    while let first = rest.first {
        let length = choice == 0 ? 1 : 1 + step % 13
        pieces.append(rest.prefix(length))
        rest = rest.dropFirst(length)
        step = (step * 31 + Int(first)) & 0xFFFF
    }
    return pieces
}
