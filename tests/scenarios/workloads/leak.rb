# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# leak.rb PORT BYTES - an HTTP service that keeps so much of every request.
require 'socket'

port, bytes = ARGV.map(&:to_i)
kept = []
lock = Mutex.new
server = TCPServer.new('127.0.0.1', port)
server.listen(1024)

def read_head(client)
  length = 0
  line = client.gets or return nil
  until line == "\r\n"
    length = line.split(':')[1].to_i if line.downcase.start_with?('content-length:')
    line = client.gets or return nil
  end
  client.read(length) if length > 0
  true
end

loop do
  client = server.accept
  client.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
  Thread.new do
    while read_head(client)
      rows = Array.new(bytes / 120) { |i| { id: i, name: "row #{i}" } }
      lock.synchronize { kept << rows }
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    end
  rescue SystemCallError, IOError
    nil
  ensure
    client.close
  end
end
