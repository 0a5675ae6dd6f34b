import NIOCore

extension KonnectivityPacket {
    /// Appends the packet as one message of gRPC's: five bytes of framing, then the protobuf.
    func write(to buffer: inout ByteBuffer) {
        switch self {
        case .dialRequest(let network, let address, let random):
            let size = Writer.size(1, network) + Writer.size(2, address) + Writer.size(3, random)
            Self.open(Kind.dialRequest, Field.dialRequest, size: size, &buffer)
            Writer.write(field: 1, network, to: &buffer)
            Writer.write(field: 2, address, to: &buffer)
            Writer.write(field: 3, random, to: &buffer)
        case .dialResponse(let random, let connectID, let error):
            let size = Writer.size(1, error) + Writer.size(2, connectID) + Writer.size(3, random)
            Self.open(Kind.dialResponse, Field.dialResponse, size: size, &buffer)
            Writer.write(field: 1, error, to: &buffer)
            Writer.write(field: 2, connectID, to: &buffer)
            Writer.write(field: 3, random, to: &buffer)
        case .closeRequest(let connectID):
            Self.open(Kind.closeRequest, Field.closeRequest, size: Writer.size(1, connectID), &buffer)
            Writer.write(field: 1, connectID, to: &buffer)
        case .closeResponse(let connectID, let error):
            let size = Writer.size(1, error) + Writer.size(2, connectID)
            Self.open(Kind.closeResponse, Field.closeResponse, size: size, &buffer)
            Writer.write(field: 1, error, to: &buffer)
            Writer.write(field: 2, connectID, to: &buffer)
        case .data(let connectID, let bytes):
            Self.writeData(connectID: connectID, bytes.readableBytesView, to: &buffer)
        case .closeDial(let random):
            Self.open(Kind.closeDial, Field.closeDial, size: Writer.size(1, random), &buffer)
            Writer.write(field: 1, random, to: &buffer)
        case .drain:
            Self.open(Kind.drain, Field.drain, size: 0, &buffer)
        case .unknown:
            // Nothing of ours sends what it does not know.
            break
        }
    }

    /// More than what stands before the bytes of a DATA packet can need.
    static let dataOverhead = 32

    static func writeData(connectID: Int64, _ bytes: ByteBufferView, to buffer: inout ByteBuffer) {
        open(Kind.data, Field.data, size: Writer.size(1, connectID) + Writer.size(ofField: 3, bytes: bytes.count), &buffer)
        Writer.write(field: 1, connectID, to: &buffer)
        guard !bytes.isEmpty else { return }
        Writer.write(field: 3, lengthOf: bytes.count, to: &buffer)
        buffer.writeBytes(bytes)
    }

    private typealias Writer = ProtobufWriter

    /// Writes all that stands before the payload's own fields, which take `size` bytes.
    private static func open(_ kind: Int32, _ field: UInt8, size: Int, _ buffer: inout ByteBuffer) {
        let kindSize = Writer.size(ofField: Field.kind, Int64(kind))
        let total = kindSize + 1 + Writer.size(ofVarint: UInt64(size)) + size
        GRPCMessage.writePrefix(length: total, to: &buffer)
        Writer.write(field: Field.kind, Int64(kind), to: &buffer)
        Writer.write(field: field, lengthOf: size, to: &buffer)
    }
}

extension ProtobufWriter {
    fileprivate static func size(_ number: UInt8, _ value: Int64) -> Int { size(ofField: number, value) }
    fileprivate static func size(_ number: UInt8, _ text: String) -> Int { size(ofField: number, bytes: text.utf8.count) }
}
