import Testing

@testable import Tunnel

@Suite("A connection carried in packets")
struct PacketStreamStateTests {
    typealias Step = PacketStreamState.Step

    /// All steps that are due; a delivery takes all that is queued.
    private func steps(_ state: inout PacketStreamState, isWritable: Bool = true) -> [Step] {
        var steps: [Step] = []
        while let step = state.next(isWritable: isWritable) {
            steps.append(step)
            if step == .deliver { state.delivered(hasMore: false) }
        }
        return steps
    }

    /// `#expect` calls no mutating function.
    private func check(_ condition: Bool, at location: SourceLocation = #_sourceLocation) {
        #expect(condition, sourceLocation: location)
    }

    private func linked(_ side: PacketStreamState.Side) -> PacketStreamState {
        var state = PacketStreamState(side: side)
        state.linked()
        #expect(steps(&state) == [])
        return state
    }

    @Test("What came before the partner was there is delivered to it, a batch at a time")
    func queue() {
        var state = PacketStreamState(side: .dialer)
        check(state.received())
        #expect(steps(&state) == [])
        state.linked()
        #expect(steps(&state) == [.deliver])
        check(state.received())
        #expect(steps(&state) == [])
        state.partnerTook(1)
        #expect(steps(&state) == [.deliver])
    }

    @Test("The partner reads on when there is room, for all that it sent")
    func acknowledge() {
        var state = linked(.dialed)
        check(state.partnerSent())
        #expect(steps(&state) == [.acknowledge(1)])
        check(state.partnerSent())
        #expect(steps(&state, isWritable: false) == [])
        #expect(state.owed == 1)
        #expect(steps(&state) == [.acknowledge(1)])
    }

    @Test("The dialer's end: CLOSE_REQ, what still comes is delivered, CLOSE_RSP ends it")
    func dialerCloses() {
        var state = linked(.dialer)
        state.partnerFinished()
        #expect(steps(&state) == [.sendClose(.orderly), .awaitClose])
        check(!state.partnerSent())
        check(state.received())
        #expect(steps(&state) == [.deliver])
        check(state.received())
        state.peerClosed(.orderly)
        #expect(steps(&state) == [])
        check(!state.received())
        state.partnerTook(1)
        #expect(steps(&state) == [.deliver, .endPartner(.orderly), .forget])
        #expect(steps(&state) == [])
    }

    @Test("A CLOSE_RSP that never comes ends it as well, and one whose partner is gone only swallows what comes")
    func dialerWaits() {
        var state = linked(.dialer)
        state.partnerFinished()
        _ = steps(&state)
        state.closeTimedOut()
        #expect(steps(&state) == [.endPartner(.orderly), .forget])

        var gone = linked(.dialer)
        gone.partnerFinished()
        gone.partnerGone(.orderly)
        #expect(steps(&gone) == [.sendClose(.orderly), .awaitClose])
        check(!gone.received())
        gone.peerClosed(.orderly)
        #expect(steps(&gone) == [.forget])
    }

    @Test("The other side ends first: CLOSE_RSP unasked, behind all that was queued; the dialer sends no CLOSE_REQ")
    func dialedCloses() {
        var dialer = linked(.dialer)
        check(dialer.received())
        dialer.peerClosed(.orderly)
        #expect(steps(&dialer) == [.deliver, .endPartner(.orderly), .forget])
        dialer.partnerFinished()
        #expect(steps(&dialer) == [])

        var dialed = linked(.dialed)
        check(dialed.received())
        _ = steps(&dialed)
        check(dialed.received())
        dialed.partnerFinished()
        #expect(steps(&dialed) == [.sendClose(.orderly)])
        dialed.partnerTook(1)
        #expect(steps(&dialed) == [.deliver, .endPartner(.orderly), .forget])
    }

    @Test("CLOSE_REQ is answered once all that was queued is delivered")
    func closeRequest() {
        var state = linked(.dialed)
        check(state.received())
        _ = steps(&state)
        check(state.received())
        state.peerClosed(.orderly)
        #expect(steps(&state) == [])
        state.partnerTook(1)
        #expect(steps(&state) == [.deliver, .endPartner(.orderly), .sendClose(.orderly), .forget])
    }

    @Test("What breaks on one side is a break on the other", arguments: [PacketStreamState.Side.dialer, .dialed])
    func breaks(side: PacketStreamState.Side) {
        var reset = linked(side)
        check(reset.received())
        reset.partnerGone(.broken)
        #expect(
            steps(&reset) == (side == .dialer ? [.sendClose(.broken), .awaitClose] : [.sendClose(.broken), .forget]))

        var lost = linked(side)
        _ = lost.received()
        _ = steps(&lost)
        _ = lost.received()
        check(lost.carrierLost())
        #expect(steps(&lost) == [.endPartner(.broken), .forget])
        check(!lost.partnerSent())

        var whole = linked(side)
        _ = whole.received()
        _ = steps(&whole)
        _ = whole.received()
        whole.peerClosed(.orderly)
        // All of it had come: it is not lost with the stream of packets.
        check(!whole.carrierLost())
        whole.partnerTook(1)
        #expect(steps(&whole) == [.deliver, .endPartner(.orderly), .forget])

        var broken = linked(side)
        broken.peerClosed(.broken)
        #expect(steps(&broken).first == .endPartner(.broken))
    }

    @Test("A stalled reader loses its connection, and what comes for it is dropped")
    func stalled() {
        var dialer = linked(.dialer)
        _ = dialer.received()
        _ = steps(&dialer)
        _ = dialer.received()
        dialer.stalled()
        #expect(steps(&dialer) == [.endPartner(.broken), .sendClose(.broken), .awaitClose])
        check(!dialer.received())
        dialer.closeTimedOut()
        #expect(steps(&dialer) == [.forget])

        var dialed = linked(.dialed)
        _ = dialed.received()
        dialed.stalled()
        #expect(steps(&dialed) == [.endPartner(.broken), .sendClose(.broken), .forget])
    }

    @Test("Nothing follows the end, not even room for what was sent before")
    func afterwards() {
        var state = linked(.dialed)
        check(state.partnerSent())
        state.peerClosed(.orderly)
        #expect(steps(&state, isWritable: false) == [.endPartner(.orderly), .sendClose(.orderly), .forget])
        #expect(steps(&state) == [])
    }
}
