/** Passwords of at least the least length that are guessed first, in lower case. */
export const guessedPasswords: ReadonlySet<string> = new Set(
  `00000000 01234567 0123456789 09876543 0987654321 10203040 1029384756 11111111 111111111 11223344 1122334455
  12121212 123123123 123123abc 123321123 12341234 12344321 12345678 123456789 1234567890 12345678910 1234567a
  123456789a 1234abcd 1234qwer 123abc123 123qweasd 123qwe123 12qwaszx 13131313 147258369 1q2w3e4r 1q2w3e4r5t
  1qaz2wsx 1qazxsw2 1qaz2wsx3edc 20202020 22222222 31415926 44444444 55555555 66666666 69696969 76543210 77777777
  87654321 88888888 963852741 987654321 9876543210 99999999 a1234567 a12345678 a123456789 aa123456 aa12345678
  abc12345 abcd1234 abc123456 abcdefgh abcdefg1 access14 adminadmin administrator admin123 admin1234 admin12345
  admin123456 anthony1 asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl baseball basketball blink182 bond0071
  butterfly changeme changeme1 charlie1 chocolate computer cookie123 corvette danielle default1 dragon123 einstein
  elephant fatima123 football football1 freedom1 fuckyou1 gangster gfhjkmrf godzilla hello123 hello1234 helloworld
  hottie101 iloveyou iloveyou1 iloveyou2 internet jennifer jessica1 jordan23 jonathan justin01 letmein1 letmein123
  liverpool liverpool1 lovelove loveyou1 marina123 master123 maverick mercedes michael1 michelle midnight modulacms
  modulacms1 monkey123 mustang1 mypassword newpassword nicholas ninja123 nopassword p@ssw0rd p@ssword pa$$w0rd
  pa55word pakistan pass1234 passw0rd passwd123 password password! password0 password01 password1 password12
  password123 password1234 password2 passwort passwort1 patrick1 playboy1 pokemon1 princess princess1 q1w2e3r4
  q1w2e3r4t5 qazwsxed qazwsxedc qweasdzx qweasdzxc qwer1234 qwerasdf qwerqwer qwert123 qwerty12 qwerty123
  qwerty1234 qwerty12345 qwertyui qwertyuiop qwertz123 qwertzuiop rainbow1 rockstar root1234 samantha samsung1
  scorpion secret123 security shadow123 slipknot snowball soccer10 spiderman starwars starwars1 steelers sunshine
  sunshine1 superman superman1 superuser sysadmin tarantula target123 test1234 testtest tinkerbell trustno1
  trustno11 user1234 victoria welcome1 welcome123 welcome2 westside whatever william1 x1234567 xbox3600 zaq12wsx
  zaq1zaq1 zxcvbnm1 zxcvbnm123`.split(/\s+/),
)
