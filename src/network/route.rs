//! Routes over the link graph: shortest paths by any cost, turn by turn.

use petgraph::algo::astar;
use petgraph::graph::{DiGraph, NodeIndex};

use super::Network;
use crate::ids::{Id, LinkId};
use crate::units::Seconds;

/// The network as its links see it: a link leads to another where a movement does.
#[derive(Debug, Clone)]
pub struct Router {
    graph: DiGraph<LinkId, ()>,
}

impl Router {
    /// Every link and every movement of `network`.
    pub fn new(network: &Network) -> Self {
        let mut graph = DiGraph::with_capacity(network.links().len(), network.movements().len());
        for link in network.links().ids() {
            graph.add_node(link);
        }
        for movement in network.movements().values() {
            graph.add_edge(Self::at(movement.from), Self::at(movement.to), ());
        }
        Self { graph }
    }

    fn at(link: LinkId) -> NodeIndex {
        NodeIndex::new(link.index())
    }

    /// The cheapest way from link `from` to link `to`, both included, and what it costs, where `cost` is the time a
    /// link takes; `None` where no way leads there. A link that costs `f64::MAX` seconds is closed.
    pub fn route(&self, from: LinkId, to: LinkId, cost: impl Fn(LinkId) -> Seconds) -> Option<(Vec<LinkId>, Seconds)> {
        let open = |link: LinkId| cost(link).get();
        let step =
            |edge: petgraph::graph::EdgeReference<'_, ()>| open(self.graph[petgraph::visit::EdgeRef::target(&edge)]);
        let goal = Self::at(to);
        let (rest, way) = astar(&self.graph, Self::at(from), |node| node == goal, step, |_| 0.0)?;
        let total = Seconds::new(rest + open(from)).filter(|t| t.get() < f64::MAX)?;
        Some((way.into_iter().map(|node| self.graph[node]).collect(), total))
    }
}
