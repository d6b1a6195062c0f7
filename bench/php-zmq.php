<?php
/* The same works as raw.c, through php-zmq: pair, stream and latency. */

function pin(int $processor): void
{
    $there = (int)shell_exec('nproc --all');
    shell_exec('taskset -pc ' . ($there > 1 ? ($there - 1 - $processor) % $there : 0) . ' ' . getmypid());
}

function cpu(): float
{
    $used = 0.0;
    foreach ([0, 1] as $who) {
        $u = getrusage($who);
        $used += $u['ru_utime.tv_sec'] + $u['ru_stime.tv_sec'] +
                 ($u['ru_utime.tv_usec'] + $u['ru_stime.tv_usec']) / 1e6;
    }
    return $used;
}

function report(int $count, float $elapsed, float $used, array $times = []): void
{
    printf('%d %.9f %.6f %d', $count, $elapsed, $used, getrusage()['ru_maxrss']);
    sort($times);
    foreach ($times ? [0.5, 0.99, 0.999] : [] as $share)
        printf(' %.9f', $times[(int)($share * (count($times) - 1))]);
    echo "\n";
}

function same(string $got, int $size): void
{
    if (strlen($got) != $size)
        exit('not what was sent');
}

function now(): float
{
    return hrtime(true) / 1e9;
}

function pair(int $size, int $count): void
{
    pin(0);
    $context = new ZMQContext();
    $in = $context->getSocket(ZMQ::SOCKET_PAIR)->bind('inproc://pair');
    $out = $context->getSocket(ZMQ::SOCKET_PAIR)->connect('inproc://pair');
    $data = str_repeat('x', $size);
    $used = cpu();
    $start = now();
    for ($i = 0; $i < $count; $i++) {
        $out->send($data);
        same($in->recv(), $size);
    }
    report($count, now() - $start, cpu() - $used);
}

/* The second process; the first ends of two pairs of streams are theirs. */
function split(callable $second): array
{
    $ends = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    $child = pcntl_fork();
    fclose($ends[$child == 0 ? 0 : 1]);
    pin($child == 0 ? 1 : 0);
    if ($child == 0) {
        $second($ends[1]);
        fgets($ends[1]);
        posix_kill(posix_getpid(), SIGKILL);
    }
    return [$child, $ends[0]];
}

function finish(array $other): void
{
    fclose($other[1]);
    pcntl_waitpid($other[0], $status);
}

function tell(array $other, ZMQSocket $socket): void
{
    fwrite($other[1], $socket->getSockOpt(ZMQ::SOCKOPT_LAST_ENDPOINT) . "\n");
}

function stream(string $endpoint, int $size, int $count): void
{
    $other = split(function ($end) use ($size, $count) {
        $out = (new ZMQContext())->getSocket(ZMQ::SOCKET_PUSH);
        $out->connect(trim(fgets($end), "\n\0"));
        $data = str_repeat('x', $size);
        for ($i = 0; $i <= $count; $i++)
            $out->send($data);
    });
    $in = (new ZMQContext())->getSocket(ZMQ::SOCKET_PULL)->bind($endpoint);
    tell($other, $in);
    $in->recv();
    $used = cpu();
    $start = now();
    for ($i = 0; $i < $count; $i++)
        same($in->recv(), $size);
    $elapsed = now() - $start;
    finish($other);
    report($count, $elapsed, cpu() - $used);
}

function latency(string $endpoint, int $size, int $count): void
{
    $warm = intdiv($count, 10) + 10;
    $other = split(function ($end) use ($count, $warm) {
        $server = (new ZMQContext())->getSocket(ZMQ::SOCKET_REP);
        $server->connect(trim(fgets($end), "\n\0"));
        for ($i = 0; $i < $count + $warm; $i++)
            $server->send($server->recv());
    });
    $client = (new ZMQContext())->getSocket(ZMQ::SOCKET_REQ)->bind($endpoint);
    tell($other, $client);
    $data = str_repeat('x', $size);
    $times = [];
    for ($i = 0; $i < $count + $warm; $i++) {
        if ($i == $warm)
            $used = cpu();
        $start = now();
        $client->send($data);
        same($client->recv(), $size);
        if ($i >= $warm)
            $times[] = now() - $start;
    }
    finish($other);
    report($count, array_sum($times), cpu() - $used, $times);
}

$arguments = array_map(fn ($x) => ctype_digit($x) ? (int)$x : $x, array_slice($argv, 2));
['pair' => 'pair', 'stream' => 'stream', 'latency' => 'latency'][$argv[1]](...$arguments);
