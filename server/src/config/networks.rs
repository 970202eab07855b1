//! Owns networks as they are written in settings: an address and how many of its bits count. Knows nothing of who
//! is asked for.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::value::{Setting, Value, quoted};

const ALLOWED: &str =
    "a list of networks as \"10.0.0.0/8\" or \"2001:db8::/32\", or of single addresses, is allowed";

/// Bits in front of an IPv4 address that is written as IPv6 (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;
const MAPPED: &str = "a network of IPv4 addresses is written as \"10.0.0.0/8\", not as \"::ffff:10.0.0.0/8\"";

/// Addresses that share their first bits (CIDR, RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    bits: u8,
}

/// Several networks; none: nobody is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Whether an address is in one of them. An IPv4 address written as IPv6 (`::ffff:10.0.0.7`) is the same address.
    pub fn contains(&self, addr: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(addr.to_canonical()))
    }
}

impl Network {
    /// Addresses are compared as what they are, IPv4 ones as IPv4: so are networks.
    fn unmapped(first: Ipv6Addr, bits: u8) -> Result<Self, &'static str> {
        match (first.to_ipv4_mapped(), bits.checked_sub(MAPPED_BITS)) {
            (None, _) => Ok(Self { first: first.into(), bits }),
            (Some(first), Some(bits)) => Ok(Self { first: first.into(), bits }),
            (Some(_), None) => Err(MAPPED),
        }
    }

    fn contains(&self, addr: IpAddr) -> bool {
        match (self.first, addr) {
            (IpAddr::V4(first), IpAddr::V4(addr)) => {
                (first.to_bits() ^ addr.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(first), IpAddr::V6(addr)) => {
                (first.to_bits() ^ addr.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, bits) =
            text.trim().split_once('/').map_or((text.trim(), None), |(first, bits)| (first, Some(bits)));
        let first: IpAddr = first.parse().map_err(|_| ALLOWED)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| ALLOWED)?;
        if bits > most {
            return Err(ALLOWED);
        }
        match first {
            IpAddr::V6(mapped) => Self::unmapped(mapped, bits),
            IpAddr::V4(_) => Ok(Self { first, bits }),
        }
    }
}

/// Networks with commas between.
impl FromStr for Networks {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl Setting for Networks {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::List(list) => list.iter().map(|text| text.parse()).collect::<Result<_, _>>().map(Self),
            Value::Text(text) => text.parse(),
            _ => Err(ALLOWED),
        }
    }

    fn write(&self) -> String {
        let networks: Vec<String> = self.0.iter().map(|network| quoted(&network.to_string())).collect();
        format!("[{}]", networks.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_by_its_first_bits() {
        let check = |network: &str, addr: &str, expected| {
            let network: Networks = network.parse().unwrap();
            assert_eq!(network.contains(addr.parse().unwrap()), expected, "{addr} in {network:?}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.1.2.3/8", "10.9.9.9", true);
        check("10.0.0.7", "10.0.0.7", true);
        check("10.0.0.7", "10.0.0.6", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("2001:db8::/33", "2001:db8:7fff::1", true);
        check("2001:db8::/33", "2001:db8:8000::1", false);
        check("::/0", "2001:db8::1", true);
        check("::1, 10.0.0.0/8", "10.0.0.1", true);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("::ffff:10.0.0.0/104", "10.9.9.9", true);
        check("::ffff:10.0.0.0/104", "11.0.0.1", false);
        check("::ffff:10.0.0.7", "10.0.0.7", true);
        check("::ffff:0:0/96", "203.0.113.9", true);
        check("::ffff:0:0/96", "2001:db8::1", false);
        check("", "127.0.0.1", false);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "host", "10.0.0.0/8,"] {
            assert_eq!(text.parse::<Networks>(), Err(ALLOWED), "{text}");
        }
        for text in ["::ffff:10.0.0.0/8", "::ffff:0:0/95"] {
            assert_eq!(text.parse::<Networks>(), Err(MAPPED), "{text}");
        }
        assert_eq!(Networks::read(&Value::String("10.0.0.0/8".to_owned())), Err(ALLOWED));
    }
}
