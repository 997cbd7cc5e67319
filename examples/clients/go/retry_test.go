package rosterimport

import (
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

var (
	retryInfo = &errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)}
	errorInfo = &errdetails.ErrorInfo{Reason: "WHY", Domain: "userimport"}
)

func failed(code codes.Code, details ...protoadapt.MessageV1) *status.Status {
	failed, err := status.New(code, "why").WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return failed
}

func TestOnlyWhatMayEndBetterIsSentAgain(t *testing.T) {
	for _, test := range []struct {
		failed    *status.Status
		transient bool
		exitCode  int
	}{
		{failed(codes.Unavailable), true, 5},
		{failed(codes.Unavailable, retryInfo), true, 5},
		{failed(codes.Aborted, errorInfo, retryInfo), true, 5},
		{failed(codes.Aborted, errorInfo), false, 4},
		{failed(codes.Canceled), true, 5},
		{failed(codes.Canceled, errorInfo), false, 6},
		{failed(codes.Internal), true, 5},
		{failed(codes.Internal, errorInfo), false, 5},
		{failed(codes.Unknown), true, 5},
		{failed(codes.DeadlineExceeded), false, 5},
		{failed(codes.FailedPrecondition, errorInfo), false, 4},
		{failed(codes.Unauthenticated, errorInfo), false, 4},
		{nil, true, 5},
	} {
		ended := Ended{Status: test.failed}
		if ended.Transient() != test.transient || ended.ExitCode() != test.exitCode {
			t.Errorf("%v: %v, %d", test.failed, ended.Transient(), ended.ExitCode())
		}
	}
}

func TestWaitsGrowToHalfAMinuteAndNeverFallShortOfWhatTheServerAsks(t *testing.T) {
	for attempt := 1; attempt < 50; attempt++ {
		own := 30 * time.Second
		if attempt <= 5 {
			own = time.Second << (attempt - 1)
		}
		if wait := waitBefore(attempt, failed(codes.Unavailable)); wait < own/2 || wait > own+250*time.Millisecond {
			t.Errorf("attempt %d: %v", attempt, wait)
		}
		held := waitBefore(attempt, failed(codes.Aborted, errorInfo, retryInfo))
		if held < 7*time.Second || held > 7250*time.Millisecond {
			t.Errorf("attempt %d: %v", attempt, held)
		}
		if wait := waitBefore(attempt, failed(codes.Unavailable, retryInfo)); wait < 7*time.Second {
			t.Errorf("attempt %d: %v", attempt, wait)
		}
	}
}
