#!/usr/bin/perl
# The same client in Perl, with nothing but what comes with it: JSON lines in, JSON lines out.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;

$| = 1;
my $name   = join '', map { sprintf '%04x', rand 65536 } 1 .. 8;
my $number = 0;
my $web    = HTTP::Tiny->new(timeout => $ENV{TIMEOUT});

while (my $line = <STDIN>) {
    print encode_json(answer(decode_json($line))), "\n";
}

sub answer {
    my ($request) = @_;
    my %body = (
        key    => $request->{key},
        client => $name,
        number => ++$number,
        timeout => 0.9 * $ENV{TIMEOUT},
    );
    $body{value} = $request->{value} if $request->{f} eq 'write';
    @body{'old', 'value'} = @{ $request->{value} } if $request->{f} eq 'cas';

    my $got = $web->post("http://$ENV{ADDRESS}:7000/$request->{f}",
        { content => encode_json(\%body) });
    if ($got->{status} == 599) {    # HTTP::Tiny's own: no answer
        my $sent = $got->{content} !~ /Could not connect/;
        return { type => $sent ? 'info' : 'fail', error => $got->{content} };
    }
    my $said = decode_json($got->{content});
    return { type => 'ok', value => $said->{value} } unless exists $said->{error};
    return { type => 'fail', error => 'mismatch', actual => $said->{actual} }
        if $said->{error} eq 'mismatch';
    return { type => $said->{definite} ? 'fail' : 'info', error => $said->{error} };
}
