#!/usr/bin/env escript
%% Erlang's processes: erlang.escript --list | WORK SUBJECT, one record like those of the programs in C
%%
%% exit(Pid, kill) of a process that never returns, until its monitor tells of its death; and until a new one has begun.
%% They are no processes of the kernel: what they do in C, or wait for there, cannot be killed.
-mode(compile).

works() -> ["kill-to-death", "kill-to-first-task"].

main(["--list"]) ->
    [io:format("~s erlang~n", [Work]) || Work <- works()];
main([Work, "erlang"]) ->
    Count = case os:getenv("BENCH_QUICK") of "1" -> 10; _ -> 150 end,
    [kill(Work) || _ <- lists:seq(1, 10)],
    Samples = lists:sort([kill(Work) || _ <- lists:seq(1, Count)]),
    At = fun(Share) -> lists:nth(1 + trunc((Count - 1) * Share), Samples) / 1000 end,
    io:format("{\"work\": \"~s\", \"subject\": \"erlang\", \"median\": ~.3f, \"p99\": ~.3f, \"min\": ~.3f, "
              "\"max\": ~.3f, \"unit\": \"us\", \"runs\": ~b}~n",
              [Work, At(0.5), At(0.99), At(0), At(1), Count]);
main(_) ->
    io:format(standard_error, "usage: erlang.escript --list | WORK SUBJECT~n", []),
    halt(2).

now_ns() -> erlang:monotonic_time(nanosecond).

stay(Number) -> stay(Number + 1).

kill(Work) ->
    Self = self(),
    {Stuck, Monitor} = spawn_monitor(fun() -> Self ! there, stay(0) end),
    receive there -> ok end,
    timer:sleep(1),
    Start = now_ns(),
    exit(Stuck, kill),
    receive {'DOWN', Monitor, process, Stuck, killed} -> ok end,
    case Work of
        "kill-to-death" ->
            now_ns() - Start;
        "kill-to-first-task" ->
            spawn(fun() -> Self ! {first, now_ns()} end),
            receive {first, First} -> First - Start end
    end.
