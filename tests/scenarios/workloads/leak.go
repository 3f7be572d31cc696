// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// leak PORT BYTES - an HTTP service that keeps so much of every request.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
)

type row struct {
	id   int
	name string
}

func main() {
	var lock sync.Mutex
	var kept [][]*row
	bytes, _ := strconv.Atoi(os.Args[2])
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		var rows []*row
		for i := 0; i < bytes/64; i++ {
			rows = append(rows, &row{i, "row" + strconv.Itoa(i)})
		}
		lock.Lock()
		kept = append(kept, rows)
		lock.Unlock()
		w.Write([]byte("ok"))
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
