import NIOCore

extension KonnectivityPacket {
    /// Reads a `Packet`.
    ///
    /// The type decides what it is. A field that is missing is nought, as proto3 has it; one that is not known is passed over.
    init(reading message: ByteBuffer) throws(ProtobufError) {
        var kind: Int32 = 0
        var payload: (field: UInt64, bytes: ByteBuffer)?
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            switch field.value {
            case .varint(let value) where field.number == UInt64(Field.kind): kind = Int32(truncatingIfNeeded: value)
            case .bytes(let bytes) where (UInt64(Field.dialRequest)...UInt64(Field.drain)).contains(field.number):
                // Of a oneof the last one counts.
                payload = (field.number, bytes)
            default: break
            }
        }
        func fields(_ field: UInt8) throws(ProtobufError) -> PacketFields {
            try PacketFields(reading: payload?.field == UInt64(field) ? payload?.bytes ?? ByteBuffer() : ByteBuffer())
        }
        switch kind {
        case Kind.dialRequest:
            let fields = try fields(Field.dialRequest)
            self = .dialRequest(network: fields.text(1), address: fields.text(2), random: fields.number(3))
        case Kind.dialResponse:
            let fields = try fields(Field.dialResponse)
            self = .dialResponse(random: fields.number(3), connectID: fields.number(2), error: fields.text(1))
        case Kind.closeRequest:
            self = .closeRequest(connectID: try fields(Field.closeRequest).number(1))
        case Kind.closeResponse:
            let fields = try fields(Field.closeResponse)
            self = .closeResponse(connectID: fields.number(2), error: fields.text(1))
        case Kind.data:
            let fields = try fields(Field.data)
            self = .data(connectID: fields.number(1), fields.bytes(3))
        case Kind.closeDial:
            self = .closeDial(random: try fields(Field.closeDial).number(1))
        case Kind.drain:
            self = .drain
        default:
            self = .unknown(type: kind)
        }
    }
}

/// The fields of a payload: no payload has one past the third.
private struct PacketFields {
    private var numbers: (Int64, Int64, Int64) = (0, 0, 0)
    private var texts: (ByteBuffer?, ByteBuffer?, ByteBuffer?) = (nil, nil, nil)

    init(reading message: ByteBuffer) throws(ProtobufError) {
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .varint(let value)): numbers.0 = Int64(bitPattern: value)
            case (2, .varint(let value)): numbers.1 = Int64(bitPattern: value)
            case (3, .varint(let value)): numbers.2 = Int64(bitPattern: value)
            case (1, .bytes(let bytes)): texts.0 = bytes
            case (2, .bytes(let bytes)): texts.1 = bytes
            case (3, .bytes(let bytes)): texts.2 = bytes
            default: break
            }
        }
    }

    func number(_ field: Int) -> Int64 { field == 1 ? numbers.0 : field == 2 ? numbers.1 : numbers.2 }
    func bytes(_ field: Int) -> ByteBuffer { (field == 1 ? texts.0 : field == 2 ? texts.1 : texts.2) ?? ByteBuffer() }
    func text(_ field: Int) -> String { String(buffer: bytes(field)) }
}
