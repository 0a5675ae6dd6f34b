import Testing

@testable import Tunnel

@Suite("One end of a relay")
struct RelayStateTests {
    private func linked() -> RelayState {
        var state = RelayState()
        #expect(state.link() == .read)
        return state
    }

    @Test("Nothing is read until the partner has taken what was read before")
    func backpressure() {
        var state = linked()
        #expect(state.received() == (true, []))
        #expect(state.readCompleted() == .forwardBatch)
        #expect(state.readCompleted() == [])
        #expect(state.partnerTook(1) == .read)
    }

    @Test("A full channel acknowledges when it can be written to again")
    func writability() {
        var state = linked()
        #expect(state.wroteBatch(isWritable: false) == [])
        #expect(state.wroteBatch(isWritable: false) == [])
        #expect(state.becameWritable() == .acknowledge)
        #expect(state.takeOwed() == 2)
        #expect(state.becameWritable() == [])
        #expect(state.wroteBatch(isWritable: true) == .acknowledge)
    }

    @Test("What came before the link goes out with it")
    func beforeLink() {
        var state = RelayState()
        #expect(state.received() == (true, []))
        #expect(state.readCompleted() == [])
        #expect(state.inputClosed() == [])
        #expect(state.link() == [.forwardBatch, .forwardFinish])
        var gone = RelayState()
        #expect(gone.becameInactive(broken: true) == [])
        #expect(gone.link() == .forwardReset)
    }

    @Test("End of file travels behind the last byte, and both ends make a close")
    func orderlyEnd() {
        var state = linked()
        #expect(state.received() == (true, []))
        #expect(state.inputClosed() == [.forwardBatch, .forwardFinish])
        #expect(state.inputClosed() == [])
        #expect(state.partnerFinished() == .closeOutput)
        #expect(state.partnerFinished() == [])
        #expect(state.outputClosed() == .close)
        #expect(state.becameInactive(broken: false) == .forwardGone)

        var other = linked()
        #expect(other.partnerFinished() == .closeOutput)
        #expect(other.outputClosed() == [])
        #expect(other.inputClosed() == [.forwardFinish, .close])
    }

    @Test("A channel that closes behind its output's end has ended well, unless it broke")
    func endBehindOutput() {
        for (broken, expected) in [(false, [.forwardFinish, .forwardGone]), (true, .forwardReset)] as [(Bool, RelayActions)] {
            var state = linked()
            #expect(state.partnerFinished() == .closeOutput)
            #expect(state.outputClosed() == [])
            #expect(state.becameInactive(broken: broken) == expected)
        }
    }

    @Test("A channel that breaks resets the other side, with what was read still delivered")
    func broken() {
        var state = linked()
        #expect(state.received() == (true, []))
        #expect(state.becameInactive(broken: true) == [.forwardBatch, .forwardReset])
        #expect(state.becameInactive(broken: true) == [])
        var other = linked()
        #expect(other.partnerReset() == .reset)
        #expect(other.becameInactive(broken: true) == .forwardReset)
        #expect(other.partnerReset() == [])
    }

    @Test("An orphan delivers what it has, then answers bytes with a reset")
    func orphan() {
        var state = linked()
        #expect(state.partnerFinished() == .closeOutput)
        #expect(state.partnerGone() == [.startOrphanTimer, .read])
        // Bytes for nobody, while earlier ones are still being written.
        #expect(state.received() == (false, []))
        #expect(state.outputClosed() == .reset)

        var quiet = linked()
        #expect(quiet.partnerFinished() == .closeOutput)
        #expect(quiet.outputClosed() == [])
        #expect(quiet.partnerGone() == [.startOrphanTimer, .read])
        #expect(quiet.received() == (false, .reset))

        var ended = linked()
        #expect(ended.partnerFinished() == .closeOutput)
        #expect(ended.outputClosed() == [])
        #expect(ended.partnerGone() == [.startOrphanTimer, .read])
        #expect(ended.inputClosed().contains(.close))

        var silent = linked()
        #expect(silent.partnerGone() == [.startOrphanTimer, .read])
        #expect(silent.orphanTimedOut() == .reset)
    }

    @Test("Bytes that the lost partner never took end in a reset once the rest is written")
    func orphanWithLostBytes() {
        var state = linked()
        _ = state.received()
        #expect(state.readCompleted() == .forwardBatch)
        #expect(state.partnerFinished() == .closeOutput)
        #expect(state.partnerGone() == [.startOrphanTimer, .read])
        #expect(state.outputClosed() == .reset)
    }
}
