// delay makes two network interfaces that are joined by a long way: what is sent into one comes out of the other that much later,
// in order, and nothing is lost. One of them is to be moved to another network namespace. As netem does, but where the kernel has
// no netem. Standard library only.
//
//	delay -links to-plane,to-node -each-way 25ms
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

type packet struct {
	due   time.Time
	bytes []byte
}

func main() {
	links := flag.String("links", "", "the names of the two interfaces, with a comma")
	eachWay := flag.Duration("each-way", 25*time.Millisecond, "how long a packet is on its way")
	flag.Parse()
	var ends []int
	for _, name := range strings.Split(*links, ",") {
		end, err := open(name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		ends = append(ends, end)
	}
	go carry(ends[0], ends[1], *eachWay)
	carry(ends[1], ends[0], *eachWay)
}

// An interface without link-layer headers, which is there as long as this process.
func open(name string) (int, error) {
	end, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	var request [40]byte // struct ifreq
	copy(request[:15], name)
	*(*uint16)(unsafe.Pointer(&request[16])) = syscall.IFF_TUN | syscall.IFF_NO_PI
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(end), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return 0, errno
	}
	return end, nil
}

func carry(from, to int, eachWay time.Duration) {
	onTheWay := make(chan packet, 1<<17)
	go func() {
		for p := range onTheWay {
			time.Sleep(time.Until(p.due))
			syscall.Write(to, p.bytes)
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := syscall.Read(from, buffer)
		if err == syscall.EINTR || err == syscall.EIO { // EIO: the interface is not up yet
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		onTheWay <- packet{time.Now().Add(eachWay), append([]byte(nil), buffer[:n]...)}
	}
}
