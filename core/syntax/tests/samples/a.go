// Package queue keeps jobs.
package queue

import "fmt"

// Longest lease.
const Longest = 60

const (
	// A is first.
	A = iota
	B
)

var count, other int

// Queue keeps jobs.
type Queue struct {
	jobs []Job
}

type (
	// Leaser leases.
	Leaser interface {
		Lease() Job
	}
	Alias = Queue
)

// Lease takes one.
func (q *Queue) Lease() (Job, error) {
	var local = 3
	_ = local
	return q.jobs[0], nil
}

func New[T any](n int) *Queue {
	return &Queue{}
}

func TestLease(t *testing.T) {
	t.Fatal("x")
}
