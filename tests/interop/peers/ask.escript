#!/usr/bin/env escript
%% Asks for a page through Erlang's ssl. Arguments and output: see tests/interop/src/client/program.rs.

main([Host, Port, Name, Root, Version, Alpn, Resume, Group, Path | _]) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, Ip} = inet:parse_address(Host),
    Key = case Version of "1.3" -> supported_groups; _ -> eccs end,
    Groups = case Group of "any" -> []; _ -> [{Key, [list_to_atom(string:lowercase(Group))]}] end,
    Tickets = case Version of "1.3" -> [{session_tickets, auto}]; _ -> [] end,
    Options = [{versions, [list_to_atom("tlsv" ++ Version)]}, {verify, verify_peer}, {cacertfile, Root},
               {server_name_indication, Name}, {alpn_advertised_protocols, [list_to_binary(Alpn)]}, {active, false},
               {customize_hostname_check, [{match_fun, public_key:pkix_verify_hostname_match_fun(https)}]},
               {mode, binary}] ++ Groups ++ Tickets,
    Request = ["GET ", Path, " HTTP/1.1\r\nHost: ", Name, "\r\nConnection: close\r\n\r\n"],
    case Resume of "resume" -> ask(Ip, Port, Options, Request), timer:sleep(50); _ -> ok end,
    {Facts, Response} = ask(Ip, Port, Options, Request),
    file:write(standard_io, [[[Fact, "=", Value, "\n"] || {Fact, Value} <- Facts], "\n"]),
    ok = io:setopts([{encoding, latin1}]),
    file:write(standard_io, Response).

ask(Ip, Port, Options, Request) ->
    {ok, Socket} = ssl:connect(Ip, list_to_integer(Port), Options, 30000),
    ok = ssl:send(Socket, Request),
    {ok, Told} = ssl:connection_information(Socket, [protocol, selected_cipher_suite, session_resumption]),
    "tlsv" ++ Version = atom_to_list(proplists:get_value(protocol, Told)),
    Alpn = case ssl:negotiated_protocol(Socket) of {ok, One} -> One; _ -> "" end,
    {ok, Leaf} = ssl:peercert(Socket),
    Facts = [{"version", Version}, {"suite", ssl:suite_to_str(proplists:get_value(selected_cipher_suite, Told))}, {"alpn", Alpn},
             {"group", ""}, {"resumed", atom_to_list(proplists:get_value(session_resumption, Told))}, {"leaf", base64:encode(Leaf)}],
    Response = read(Socket, []),
    ssl:close(Socket),
    {Facts, Response}.

read(Socket, Parts) ->
    case ssl:recv(Socket, 0, 30000) of
        {ok, Part} -> read(Socket, [Parts, Part]);
        {error, closed} -> Parts
    end.
