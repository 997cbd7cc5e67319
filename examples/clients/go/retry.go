package rosterimport

import (
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Whether an attempt that failed is made again, and when. Sending an import again is safe: under the same import
// ID the server goes on where it was, and reports again what it has done. Nothing is ever applied twice.

const (
	firstWait   = time.Second
	longestWait = 30 * time.Second
)

// isTransient returns true if the same import, sent again, may succeed.
func isTransient(failed *status.Status) bool {
	switch failed.Code() {
	case codes.Unavailable:
		return true
	case codes.Aborted:
		// Another import holds the organisation; RetryInfo says when to ask again.
		_, told := requestedWait(failed)
		return told
	case codes.Canceled, codes.Internal, codes.Unknown:
		return !hasDetails(failed)
	default:
		return false
	}
}

// hasDetails returns true if the server sent this status: each of its errors has details. Without them the
// connection failed.
func hasDetails(failed *status.Status) bool {
	return len(failed.Proto().GetDetails()) > 0
}

// waitBefore says how long to wait before retry number attempt (1 = the first). failed may be nil.
func waitBefore(attempt int, failed *status.Status) time.Duration {
	requested, _ := requestedWait(failed)
	own := longestWait
	if attempt <= 5 {
		own = firstWait << (attempt - 1)
	}
	if failed.Code() == codes.Aborted {
		own = 0
	}
	// Jitter, so that all who lost the same server do not come back at the same moment.
	half := own / 2
	return max(half+rand.N(half+1), requested) + rand.N(250*time.Millisecond)
}

func requestedWait(failed *status.Status) (wait time.Duration, told bool) {
	for _, detail := range failed.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok && retry.RetryDelay != nil {
			return retry.RetryDelay.AsDuration(), true
		}
	}
	return 0, false
}
