// direct is a CONNECT front end on a unix socket that dials the target itself: no tunnel and no TLS. Run in the network namespace
// of a tunnel's server, with the load generator in that of its agent, it has the same TCP between the two as the tunnel.
// Standard library only.
package main

import (
	"bufio"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	listen := flag.String("listen", "", "unix socket")
	flag.Parse()
	os.Remove(*listen)
	l, err := net.Listen("unix", *listen)
	if err != nil {
		panic(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c)
	}
}

func serve(c net.Conn) {
	defer c.Close()
	r, err := http.ReadRequest(bufio.NewReaderSize(c, 512))
	if err != nil || r.Method != "CONNECT" {
		return
	}
	t, err := net.Dial("tcp", r.Host)
	if err != nil {
		return
	}
	defer t.Close()
	io.WriteString(c, "HTTP/1.1 200 Connection Established\r\n\r\n")
	go func() {
		defer t.Close()
		io.Copy(t, c)
	}()
	io.Copy(c, t)
}
